// SPDX-License-Identifier: Apache-2.0

// Package parquetio reads Parquet files. Start at [New]; the [Source] reads the named columns of
// each row group in batches, with one [table.Reader] for each row group or, where there are few, several.
//
// # Types
//
//   - BOOLEAN is Bool. INT32 and INT64 are Int, signed or not; an unsigned value above MaxInt64 is
//     null. FLOAT, DOUBLE and FLOAT16 are Float.
//   - TIMESTAMP in any unit, INT96 and DATE (midnight UTC) are Time, rounded down to microseconds;
//     an instant outside the range of Time is null. A local timestamp is read as if it were UTC.
//   - BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY are Bytes as they stand, except that a UUID is its text
//     of 36 characters and a DECIMAL its exact decimal text with all digits of its scale.
//   - Fields of nested groups are named by a dotted path ("context.ip"). The items of a list
//     are "tags[]", and "params[page]" is what a list of groups, or a map, says of a key; names pass by the
//     groups that the format puts around both. Lists within lists, times of day
//     and intervals are refused with table.ErrSchema when they are asked for.
//
// # Encodings
//
// All encodings and codecs that Parquet defines are read, but for the two which it has withdrawn
// (BIT_PACKED levels and the old LZ4 framing). Pages with dictionary indexes become columns with a
// table.Dict, which the batches of one reader share by pointer; a batch ends where a column
// changes from a dictionary to plain values.
//
// # Hostile files
//
// A Parquet file says how long its parts are, and a forged one lies. parquet-go decodes the metadata
// and all that is encoded in pages: levels, dictionary indexes and values. It sizes its memory by what
// they claim, some of its kernels write without looking where that memory ends, and an allocation
// that is too large ends the process, which no recover can undo. So a guard comes first: a walk shows
// that each list of the metadata is as long as it claims; page headers are read here and held against
// the bytes that are there; what is compressed inflates into memory of the size that its header was
// allowed to state; and runs, lengths and counts within a page are added up and cut to the page's
// number of values. parquet-go's page reader is passed by, for it does none of this on the way from
// a file to a page; its decoders are called one by one.
//
// What is left runs under one recover and one watchdog: a decoder that panics is table.ErrMalformed,
// and one that takes longer than four seconds for one page is table.ErrLimit. Go cannot stop a
// goroutine from outside, so a decoder that never returns keeps its goroutine and the memory of one
// page until the process ends; the reader that met it is dead.
//
// # Not protected
//
// Whole-file and column encryption are not supported; encrypted columns are refused.
package parquetio
