// SPDX-License-Identifier: Apache-2.0

// Package scalar reads decimal numbers, dates and times from bytes, exactly and without allocating,
// for the rooms of anonymize. Start with [ParseDecimal] and [ParseRFC3339].
//
// A reader either understands the whole text or refuses it; it never guesses, never wraps and never
// panics, and what it refuses it does not repeat.
package scalar
