// SPDX-License-Identifier: Apache-2.0

// Package anonymize holds the rules that a policy applies to single values: who is left out
// ([Consent], [UnderAge]), how a cell is read ([As], [Value]) and when two texts are the
// same ([AppendText], [AppendFolded]).
//
// Its rooms go on from there: identity turns a privacy id into a key, generalize turns a value into
// the label of a group, a time into a period and a number into an integer. All of it is pure: no
// input is read, nothing is kept, and every value is judged by itself, so that neither order nor
// batch nor format can change a verdict. Everything is safe for concurrent use.
//
// # Guarantee
//
// A rule fails closed. What is null, malformed, unlisted or out of range is refused, and the reading
// that protects more wins where a value leaves two open. No error text and no formatted value holds
// anything that was read from an input.
//
// # Not protected
//
// A rule believes the cell. It cannot see that a child typed another year, nor that a consent was
// given by someone else. That a value was left out is visible to nobody but the engine; hiding how
// many were is the noise's work, not this package's.
//
// # Compatibility
//
// Verdicts and spellings follow the Unicode tables of the Go release and of golang.org/x/text: a
// change of either may merge or part texts beyond ASCII.
package anonymize
