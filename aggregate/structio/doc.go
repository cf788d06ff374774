// SPDX-License-Identifier: Apache-2.0

// Package structio reads Go structs as a [table.Source]: a slice ([Slice]) or any sequence that can be
// started again ([New]).
//
// # Columns
//
// A field is a column when its tag names it, and only then; fields without a tag, or with "-", are
// never looked at:
//
//	type View struct {
//		VisitorID uuid.UUID `throng:"visitor_id"`
//		Seconds   *float64  `throng:"seconds"`
//		Context   struct {
//			Device string `throng:"device"`
//		} `throng:"context"`
//		Email string // not read
//	}
//
// A tagged struct holds columns of its own, named by a path ("context.device"); the columns of an
// embedded struct without a tag stand beside those of the struct around it. Pointers lead on to what
// they point to, and nil is null.
//
// A slice of values is a list, whose items are the column "name[]".
//
// Strings and byte slices are text (a nil byte slice is null), integers of every size integers
// (unsigned values above MaxInt64 are null), floats, booleans and time.Time their kinds (an instant
// that 64 bits of microseconds do not hold is null). What implements encoding.TextMarshaler is its
// text, null where marshalling fails. Any other type in a tagged field is refused.
//
// # Ownership
//
// Values are copied before the sequence is asked to go on, so a sequence may reuse what it yields.
package structio
