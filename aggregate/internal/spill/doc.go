// SPDX-License-Identifier: Apache-2.0

// Package spill keeps what does not fit into memory: segments of bytes, appended to numbered buckets
// and read back bucket by bucket, encrypted in a temporary file that only this process can open.
//
// Start with [Open]; then [Store.Append], [Store.Read], [Store.Close].
//
// # Guarantee
//
// The file holds ciphertext only, under a key that is drawn for this store, never written anywhere and
// overwritten when the store is closed. The file has no name while it is used, so that nothing is left
// when the process ends, however it ends; what the system needs to do that is said in DESIGN.md. A
// segment is returned as it was appended, in its place and in order, or [Store.Read] fails. A write
// that failed fails every later call: no data is lost in silence. No error holds a byte of a segment,
// its size, its bucket or a number of segments.
//
// # Not protected
//
// Whoever may read this process's memory may read the key and the segments; memory is not locked
// against swapping. Other users of the machine may see from the free space of the file system how
// much was spilled in all, in steps of about a MiB. A run that spills takes longer than one that does not.
package spill
