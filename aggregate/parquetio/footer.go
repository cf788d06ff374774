// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"encoding/binary"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	magic = "PAR1"
	// maxFooter bounds the metadata. A file with 1,000 columns and 100 row groups needs about 10 MiB.
	maxFooter = 16 << 20
	// maxPageRows bounds the rows of one page. Run lengths can make a page of a few bytes stand for
	// any number of rows; writers that have no limit of their own put at most a row group, by custom
	// about a million rows, into a page. 8 Mi rows take 32 MiB as dictionary codes.
	maxPageRows = 8 << 20
	// maxPageItems bounds the values and nulls of a page of a list, which take levels of two kinds.
	maxPageItems = maxPageRows / 2
	// minPageBytes is less than any page's header takes.
	minPageBytes = 8
)

// readFooter reads and checks a file's metadata.
func readFooter(r io.ReaderAt, size int64) (*format.FileMetaData, error) {
	if size < int64(2*len(magic)+4) {
		return nil, malformed("not a Parquet file: too short")
	}
	var head [4]byte
	var tail [8]byte
	if err := readFull(r, head[:], 0); err != nil {
		return nil, err
	}
	if err := readFull(r, tail[:], size-8); err != nil {
		return nil, err
	}
	if string(tail[4:]) == "PARE" {
		return nil, unsupported("encrypted Parquet is not supported; decrypt the file first")
	}
	if string(head[:]) != magic || string(tail[4:]) != magic {
		return nil, malformed("not a Parquet file, or cut short: the mark at its start or end is missing; copy it again")
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if n > size-12 {
		return nil, malformed("metadata is longer than the file")
	}
	if n > maxFooter {
		return nil, tooLarge("metadata is longer than 16 MiB; write fewer row groups or columns")
	}
	footer := make([]byte, n)
	if err := readFull(r, footer, size-8-n); err != nil {
		return nil, err
	}
	return decodeFooter(footer)
}

// decodeFooter decodes metadata that has been seen to be as long as it claims.
func decodeFooter(footer []byte) (*format.FileMetaData, error) {
	walk := compact{data: footer}
	walk.skip(thriftStruct, 0)
	if walk.bad {
		return nil, malformed("metadata is damaged")
	}
	// A list element takes some 600 bytes decoded; an honest one takes 20 encoded, on average.
	if walk.elements > 1<<16+len(footer)/16 {
		return nil, malformed("metadata lists more than it can hold")
	}
	meta := new(format.FileMetaData)
	err := guard(decodeTime, func() error {
		// What follows the metadata is the signature of an encrypted file's plain footer.
		if thrift.Unmarshal(new(thrift.CompactProtocol), footer[:walk.at], meta) != nil {
			return malformed("metadata is damaged")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return meta, nil
}

// checkRowGroups checks what the row groups say of themselves, given the number of leaf columns.
func checkRowGroups(groups []format.RowGroup, leaves int) error {
	for i := range groups {
		g := &groups[i]
		if g.NumRows < 0 {
			return malformed("a row group has a negative number of rows")
		}
		if len(g.Columns) != leaves {
			return malformed("a row group has not the columns that the schema names")
		}
		// Without this, a few bytes could keep a scan that asks for no column busy for ever.
		if g.NumRows > 0 && (leaves == 0 ||
			g.NumRows/maxPageRows > g.Columns[0].MetaData.TotalCompressedSize/minPageBytes) {
			return malformed("a row group has more rows than its pages can hold")
		}
	}
	return nil
}

// chunkBounds returns where the pages of a column of a row group begin and end, given where the
// metadata begins.
func chunkBounds(g *format.RowGroup, l *leaf, limit int64) (start, end int64, err error) {
	chunk := &g.Columns[l.index]
	meta := &chunk.MetaData
	switch {
	case chunk.CryptoMetadata.Value != nil || len(chunk.EncryptedColumnMetadata) > 0:
		return 0, 0, unsupported("the column is encrypted; decrypt the file first")
	case chunk.FilePath != "":
		return 0, 0, unsupported("the column is in another file; copy it into this one")
	case meta.Type != l.physical:
		return 0, 0, malformed("a row group gives the column another type than the schema")
	case l.itemLevel == 0 && meta.NumValues != g.NumRows, meta.NumValues < g.NumRows:
		return 0, 0, malformed("a row group gives the column another number of values than rows")
	}
	start = meta.DataPageOffset
	if d := meta.DictionaryPageOffset; d > 0 && d < start {
		start = d
	}
	if start < int64(len(magic)) || meta.TotalCompressedSize < 0 || start > limit || meta.TotalCompressedSize > limit-start {
		return 0, 0, malformed("a row group places the column's pages outside the file")
	}
	return start, start + meta.TotalCompressedSize, nil
}

// readFull fills b from offset off.
func readFull(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return err
}
