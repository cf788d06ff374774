// SPDX-License-Identifier: Apache-2.0

// Package fileio opens files as one [table.Source] by what they contain. Start with [Open].
//
// # Formats
//
// The first bytes of the content decide, through gzip, zstd and zip: PAR1 is Parquet, ARROW1 an Arrow
// IPC file, ff ff ff ff an Arrow IPC stream, a first character { newline-delimited JSON, a first line that
// begins with #Version:, #Fields: or #Software: a W3C log, and one of the first lines that is of the Common or
// Combined Log Format such a log. Where they
// leave it open, the extension in front of .gz or .zst decides (.csv, .txt, .tsv, .tab, .ndjson,
// .jsonl, .json, .parquet, .pq, .arrow, .feather, .ipc, .arrows), an empty file without one is like
// the files beside it, and anything else is CSV. [Options].Format overrides all of this. Well-known
// formats that are not read (xz, bzip2, Avro, ORC and others) are refused by name.
//
// # Several files
//
// All files of one input have the same format. Their columns are those that every file has, with the
// same kind. A few files are opened together; of many, only a few are open at any time.
//
// # Guarantee
//
// Only regular files are opened, also where a symbolic link leads to one. A file that two patterns or
// links lead to is read once, so that nobody's records count twice. Compressed files are held to the
// limits of decompression; a compressed Parquet or Arrow file, which needs random access, is held in
// memory up to 192 MiB for as long as it is being read.
//
// A source is a [table.Versioned]: that a file changed shows by its size, the time of its last change, and by which
// file it is.
//
// # Not protected
//
// A file that is changed in place to another content of the same length, within what the file system takes for one moment,
// is not seen to change.
//
// Two files with the same content, one a copy of the other, are two files, and a [table.Stored] by which package
// aggregate refuses them. Once one is compressed, or has one record more, nothing tells.
package fileio
