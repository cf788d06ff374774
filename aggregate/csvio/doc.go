// SPDX-License-Identifier: Apache-2.0

// Package csvio reads CSV, TSV and their relatives as a [table.Source]. Start with [New].
//
// Fields follow RFC 4180. Lines end with LF or CRLF, or with CR where the beginning of the file has
// no LF at all; a CR anywhere else is data, as are NUL bytes and, in a field that does not begin
// with one, quotes. Empty lines are skipped. Values are handed over as the bytes that stand in the
// file, also where they are not valid UTF-8, unless [Options].Encoding says what to convert from.
//
// # Bad records
//
// A record is dropped, without a word, where it has not as many fields as the header, where a quote
// in it is not closed or is followed by anything but a delimiter or the end of the line, and where it
// is longer than 1 MiB. Reading resumes after the record where its end is known. Where its quotes
// leave that open, reading resumes at the line after the one that the record began on, and the lines
// that it had seemed to swallow are read one by one: in them, a line's end ends a record even inside
// quotes. One unclosed quote therefore costs at most the records that span several lines within the
// next 1 MiB, and no input is read more than a fixed number of times.
//
// # Readers
//
// A scan has a reader for each processor (at most 16), of which any number may be used. They take
// turns in reading the input, compressed or not, and each takes the records of its own part apart.
// Which records there are does not depend on their number. Where the input fails, each of them
// returns the same error.
//
// # Guarantee
//
// Memory is bounded by a buffer for each reader and one more (256 KiB, and at most 2 MiB where records
// are long), the header (at most 1 MiB and 65,536 columns), and a batch for each reader (about 5 MiB
// of input), whatever the input. A column that is not asked for is
// skipped over, not copied or decoded. Errors name a column only as the policy wrote it, or propose
// a name from the header that differs from it by a letter or two.
//
// # Not protected
//
// A file that was written without quoting what needs quotes can hold records that whoever filled in
// a field made up; no reader can tell.
package csvio
