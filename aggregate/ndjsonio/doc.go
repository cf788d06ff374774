// SPDX-License-Identifier: Apache-2.0

// Package ndjsonio reads newline-delimited JSON: one object a line. Start with [New].
//
// # Columns
//
// A column is a path of names joined by dots: context.ip is the member ip of the member context of
// the record. Every value is text: a string without its escapes, a number or boolean as it is
// spelled. A path that leads nowhere, to null, to an object or to an array is null. With
// tags[] a record has the elements of the array tags as values, with items[].name the member name of each, and
// params[page] is what the first element says whose member key is page: see [table.Path]. What is no array is its
// only element.
//
// A name in a file may itself hold dots, so a path is tried in every way to cut it at its dots, the
// shortest first names first: for a.b.c the order is {"a":{"b":{"c":1}}}, {"a":{"b.c":1}},
// {"a.b":{"c":1}}, {"a.b.c":1}. The first way whose last name is there decides, even if its value is
// null. Names are compared byte for byte after their escapes are undone.
//
// # Dropped records
//
// These are dropped without a word, and whether a record is one of them does not depend on the
// columns asked for: a line that is not exactly one JSON object by RFC 8259; a name that stands twice
// in one object, at any depth, since readers disagree on which of the two counts; bytes that are not
// UTF-8 or half a surrogate pair, anywhere; more than 10,000 levels; more than 1 MiB. Blank lines
// are no records. An unfinished last line is dropped like any other malformed line.
//
// # Refused files
//
// A file whose first byte, after a byte order mark and blanks, is not {, and a file whose first line
// is { alone (an object laid out over several lines) are [table.ErrMalformed]: all of their records
// would be dropped. A file without any byte is valid and empty.
//
// # Readers
//
// A scan has a reader for each processor (at most 16), of which any number may be used. They take
// turns in reading the input, compressed or not, and each takes the lines of its own part apart. Where
// the input fails, each of them returns the same error.
//
// # Memory
//
// A scan keeps a buffer for each reader and one more: 256 KiB, and at most 2 MiB where lines are long.
// A reader learns which names stand where, up to 4,096 names of at most 128 bytes, and forgets them
// when they are more. A batch ends after 4,096 records or 4 MiB of lines.
//
// # Speed
//
// Lines of the form that others before them had are judged and read in one pass. What that pass is not
// sure of (a name with escapes, more than 256 names in one object, more than 64 levels, anything
// unsound) is left to package jsontext, whose verdict is the one that counts: several times slower, but
// never different.
package ndjsonio
