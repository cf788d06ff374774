// SPDX-License-Identifier: Apache-2.0

package unpack

import (
	"archive/zip"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"

	"github.com/throngdp/throng/aggregate/table"
)

// zstdMethod is zip's number for zstd (APPNOTE 4.4.5).
const zstdMethod = 93

// entry is what a zip's directory says about a member.
type entry struct {
	method uint16
	size   int64 // uncompressed, as declared
	crc    uint32
}

// errDirectory stops archive/zip, which would otherwise hold a directory of any length in memory.
var errDirectory = errors.New("zip directory too large")

// directoryReader fails once more than left bytes have been asked of it.
type directoryReader struct {
	r    io.ReaderAt
	left int64
}

func (d *directoryReader) ReadAt(p []byte, off int64) (int, error) {
	if d.left -= int64(len(p)); d.left < 0 {
		return 0, errDirectory
	}
	return d.r.ReadAt(p, off)
}

// listZip returns the members of the zip in r. Nothing is allocated by what the zip says of sizes.
func listZip(r io.ReaderAt, size int64, file string, lim Limits) ([]Member, error) {
	dir := &directoryReader{r: r, left: maxDirectory}
	z, err := zip.NewReader(dir, size)
	tooMany := errors.Is(err, errDirectory) || (z != nil && len(z.File) > maxMembers)
	if tooMany {
		return nil, &table.Error{File: file, Err: table.ErrLimit,
			Problem: fmt.Sprintf("lists more than %d entries; unpack it first", maxMembers)}
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // entry names are never used as paths
		return nil, fault(file, err)
	}
	dir.left = math.MaxInt64 // one local header per entry from here on
	var members []Member
	total := int64(0)
	for i, f := range z.File {
		if skipped(f.Name) {
			continue
		}
		m, err := newEntry(f, size, file, i)
		if err != nil {
			return nil, err
		}
		// Entries that overlap are how 46 MB unpack to 4.5 PB (Fifield, A better zip bomb, 2019).
		if total += m.Size; total > size {
			return nil, malformedEntry(file, "has entries that overlap; pack it again")
		}
		members = append(members, m)
	}
	if len(members) == 0 {
		return nil, malformedEntry(file, "is a zip that holds no file; check that it is the right one")
	}
	for i := range members {
		members[i].limit = lim.output(members[i].Size, len(members))
	}
	return members, nil
}

// newEntry checks what the directory says about f, which is entry i of the zip.
func newEntry(f *zip.File, size int64, file string, i int) (Member, error) {
	m := Member{Name: entryName(file, f.Name, i), path: file}
	if f.Flags&1 != 0 {
		return m, malformedEntry(m.Name, "is encrypted; decrypt it first")
	}
	if f.Method != zip.Store && f.Method != zip.Deflate && f.Method != zstdMethod {
		return m, malformedEntry(m.Name, "is compressed by a method that is not known; pack it with deflate")
	}
	offset, err := f.DataOffset()
	if err != nil {
		return m, fault(m.Name, err)
	}
	if f.CompressedSize64 > uint64(size) || offset < 0 || offset > size-int64(f.CompressedSize64) {
		return m, malformedEntry(m.Name, "does not lie within the zip; copy or pack it again")
	}
	if f.UncompressedSize64 > math.MaxInt64 {
		return m, malformedEntry(m.Name, "declares an impossible size; pack it again")
	}
	m.Size, m.offset = int64(f.CompressedSize64), offset
	m.entry = &entry{method: f.Method, size: int64(f.UncompressedSize64), crc: f.CRC32}
	return m, nil
}

func malformedEntry(name, problem string) error {
	return &table.Error{File: name, Problem: problem, Err: table.ErrMalformed}
}

// skipped reports whether an entry is no data: a folder, or what macOS adds.
func skipped(name string) bool {
	return strings.HasSuffix(name, "/") || strings.HasPrefix(name, "__MACOSX/") ||
		path.Base(name) == ".DS_Store"
}

// entryName returns file/name where name is short, printable and stays below file, and otherwise
// file/#position. The name is only ever shown, but a reader may take it for a path.
func entryName(file, name string, i int) string {
	fit := len(name) <= 200 && utf8.ValidString(name) && !strings.ContainsAny(name, `\:`) &&
		path.Clean(name) == name && !path.IsAbs(name) && name != ".." && !strings.HasPrefix(name, "../") &&
		strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
	if !fit {
		return fmt.Sprintf("%s/#%d", file, i+1)
	}
	return file + "/" + name
}

// openEntry puts the decoder of a zip's entry on the stream, with the checks that the entry allows.
func (s *Stream) openEntry(m Member) error {
	if m.entry.size > m.limit && m.entry.method != zip.Store {
		return overLimit(m.Name)
	}
	var r io.Reader = s.r
	switch m.entry.method {
	case zip.Deflate:
		r = flate.NewReader(s.r)
	case zstdMethod:
		d, err := newZstd(s.r)
		if err != nil {
			return err
		}
		s.frees = append(s.frees, d.Close)
		r = d
	}
	if m.entry.method != zip.Store {
		r = &limited{r: r, left: m.limit, name: m.Name}
	}
	s.push(&checked{r: r, entry: *m.entry, name: m.Name})
	return nil
}

// checked compares what comes out of an entry with the size and checksum that were declared.
type checked struct {
	r     io.Reader
	entry entry
	name  string
	n     int64
	crc   uint32
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p[:n])
	short := err == io.EOF && (c.n != c.entry.size || c.crc != c.entry.crc)
	if short || c.n > c.entry.size {
		return 0, malformedEntry(c.name, "does not have the size and checksum that its zip declares; copy or pack it again")
	}
	return n, err
}
