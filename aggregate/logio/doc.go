// SPDX-License-Identifier: Apache-2.0

// Package logio reads the logs of web servers as a [table.Source]: the Common and Combined Log Format,
// and W3C extended logs such as those of IIS and CloudFront. Start with [New].
//
// # Combined
//
// A line is host, ident, user, [time], "request", status, bytes, and where there is more "referer",
// "user agent" and further fields, in quotes or not. The columns are host, ident, user, time, method,
// path, protocol, status, bytes, referer, user_agent and extra1 to extra16, whatever the lines of a file
// have: what a line has not is null. The time is the text between the brackets. A request that is not a
// method, a path and perhaps a protocol (noise that scanners send) leaves the three null.
// In quoted fields and the user, \" and \\ and \xHH and \b, \n, \r, \t, \v are what they stand for.
//
// # W3C
//
// The columns are those that the first #Fields line names, and date_time, which is date and time with
// a blank between them, where it names both but no date_time. Each line says for itself what separates
// its fields: tabs where it has one, runs of blanks otherwise. A field that begins with a quote ends with
// one, and "" in it is one quote. Header fields such as cs(User-Agent), but for the Referer, lose what
// servers do to blanks: + in lines with blanks, and %HH in lines with tabs, in the User-Agent also where
// it was done twice (%2520). Other lines that begin with # are skipped.
//
// A later #Fields line holds for the lines after it. One that names the wanted columns is fine, in
// whatever order and with whatever others; one that does not is an error with [table.ErrSchema].
//
// # Null
//
// In both formats a field that is - or empty is null.
//
// # Dropped records
//
// A line that is not of the form above, has another number of fields than the #Fields line, or is
// longer than 1 MiB is dropped without a word, and which lines are does not depend on the columns that
// are asked for. No line changes how another is read.
//
// # Readers and memory
//
// A scan has a reader for each processor (at most 16), of which any number may be used. They take turns
// in reading the input, compressed or not, and each takes the lines of its own part apart. A scan
// keeps a buffer for each reader and one more (256 KiB, and at most 2 MiB where lines are long), and a
// batch for each reader (about 5 MiB of input). A column that is not asked for is skipped over, not
// copied or decoded.
//
// # Not protected
//
// A server that writes line ends into its log as they are sent lets whoever sends them make up records, and
// #Fields lines; no reader can tell.
package logio
