// SPDX-License-Identifier: Apache-2.0

// Package arrowio reads Apache Arrow data as a [table.Source]: record batches in memory
// ([NewRecords]), IPC files ([NewFile]) and IPC streams ([NewStream]).
//
// # Columns
//
// A column is named by its path: "visitor_id", or "context.device" for a field of a struct, null
// where any struct above it is null; "tags[]" are the items of a list, and "params[page]" is what a list of
// structs, or a map, says of a key. Lists of lists, list views, unions, run-end encoded columns, times of day,
// durations and intervals cannot be asked for: flatten or cast them first.
//
// Integers and booleans keep their value (unsigned values above MaxInt64 are null), float16 and
// float32 widen, timestamps of every unit and dates become microseconds in UTC, rounded down (null
// where 64 bits do not hold them; a timestamp without a zone is taken as UTC). Decimals become their
// exact text with the column's scale, an "arrow.uuid" its usual text, other binary stays as it is.
// Dictionary arrays keep their codes, and batches share a [table.Dict] as long as the dictionary is
// the same.
//
// # Untrusted files
//
// IPC metadata is taken apart with bounds checks of this package's own before any of it is believed.
// Only the buffers of the columns asked for are read or decompressed. Lengths, offsets, bitmaps and
// dictionary codes are checked before use, and memory follows the bytes that are there rather than
// the sizes that are claimed: what one record batch may decompress to is limited to 48 MiB plus 64
// times its stored size. Big-endian files are refused.
package arrowio
