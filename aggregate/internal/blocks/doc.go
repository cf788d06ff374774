// SPDX-License-Identifier: Apache-2.0

// Package blocks hands one stream of text to several goroutines, as blocks of whole records. Start
// with [New].
//
// One goroutine at a time reads the stream and finds, by the format's [Cutter], where the last whole
// record ends; what takes long, taking records apart, each goroutine does with its own block. The
// cutter sees every byte in order, so that where a record begins is known and never guessed, and a
// compressed stream is shared out as well as a file.
//
// # Guarantee
//
// Every byte from the position at which sharing begins is in exactly one block, or is dropped by the
// cutter. Blocks do not depend on timing; which goroutine gets which does. Memory is one buffer more
// than there are goroutines, each of which grows from 256 KiB only for a record that is longer.
//
// A fault of the stream is the answer to every call after it, so that each goroutine reports the
// same one.
package blocks
