// SPDX-License-Identifier: Apache-2.0

// Package table is the contract between throng and data: what a connector must offer ([Source],
// [Reader]) and what it hands over ([Batch], [Column], [Dict]).
//
// A connector is correct when it passes the suite in package tabletest. It owes its caller three
// things: a column that was not asked for is never decoded; the same rows give the same values
// whatever the format; and an error names the file and the column but nothing that was read.
//
// # Values
//
// Text formats hand over text: a CSV field, a JSON string without its escapes, a JSON number or
// boolean as it is spelled. Typed formats hand over their types. What a value means (a birth year,
// a duration) is the policy's to say, not the connector's to guess.
//
// # Bad rows
//
// A record that cannot be taken apart (an unclosed quote, a wrong number of fields, broken JSON) is
// dropped without a word: whether a record is malformed is a fact about one person. A file that
// cannot be taken apart (no header, a broken footer) is an error.
package table
