// SPDX-License-Identifier: Apache-2.0

// Package unpack opens a file on disk as streams of decompressed bytes. It knows gzip (of one or
// more members), zstd and zip, and tells them apart by their first bytes, never by a file's name.
//
// Start with [Open], which lists what a file holds, then [Member.Open] for a stream or
// [Member.OpenAt] for formats that need random access.
//
// # Guarantee
//
// Memory is bounded by the window of the decoder (at most 128 MiB, for zstd; tens of kilobytes
// otherwise), whatever the file claims about itself. Output is counted as it is produced and stops
// at the bound of [Limits]. Compression may be nested twice (a .gz in a .zip); a third layer, and a
// zip inside anything, is [table.ErrLimit]. Only regular files are opened.
//
// # Not protected
//
// Time: a file within its limits is decompressed to its end, and the caller's context is how to stop
// earlier. A file that changes between [Open] and [Member.Open] is read as it then is.
package unpack
