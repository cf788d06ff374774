// SPDX-License-Identifier: Apache-2.0

// Package generalize makes values coarse enough to be shown or added: a cell becomes the label of a
// group ([Labeler]), a time becomes an instant and a period ([Clock], [Grain]), a number becomes an
// integer count of quanta ([Number]).
//
// # Guarantee
//
// A labeler with a closed list yields nothing but that list, whatever the cell holds. Spellings of a
// text that differ in case, width, normal form or invisible characters meet in one label of a closed
// list. A label of an open list is valid UTF-8 in one spelling, at most [anonymize.MaxText] bytes
// long, without control characters and direction marks. An instant lies in exactly one period of a
// grain. A quantum count is an integer within ±2^62 that does not depend on whether the number came
// as text or as a float.
//
// # Matching
//
// A cell is compared with the keys of a value map (without a map: with the groups) in three steps,
// and the first that finds something decides: the canonical spelling of [anonymize.AppendText]; that
// spelling without regard to case and compatibility forms, where that is not ambiguous (with M: male
// and m: mujer in one map, only M and m match); and, for a text such as "1.0", its whole number.
// Labels of an open list keep their case: "Sport" and "sport" are two groups.
//
// # Readings and tables
//
// Before it is matched, a text can be read as something of which a part is left: the domain of a URL, the first
// characters of a code, the country of a phone number, the network of an address ([anonymize.As]). What cannot be
// read so is not known. A table of the owner's ([Lookup]) takes the place of a value map: of several keys that fit, the
// longest prefix or the smallest network decides, whatever their order. Its faults hold line numbers and nothing that
// a line says.
//
// # Times
//
// Zones are names of the IANA database, "UTC" where none is given. A program that may run without
// one on its machine imports time/tzdata; a library leaves that to its programs. A local time that
// occurs twice, when clocks go back, is the earlier of the two; one that never occurs is as much
// later as the clocks went forward. Both hours that a clock shows twice share one hour label. A leap
// second belongs to the minute that it ends.
//
// # Not protected
//
// A label is only as coarse as the policy makes it: a page title can hold a name. Open lists are
// shown through partition selection, never by themselves.
package generalize
