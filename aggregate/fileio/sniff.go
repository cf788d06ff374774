// SPDX-License-Identifier: Apache-2.0

package fileio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/throngdp/throng/aggregate/internal/unpack"
	"github.com/throngdp/throng/aggregate/table"
)

// format is what a file is read as.
type format uint8

const (
	// unknown is an empty file whose name says nothing.
	unknown format = iota
	csv
	tsv
	ndjson
	parquet
	arrowFile
	arrowStream
	combined
	w3c
)

// label is how Options.Format calls f.
func (f format) label() string {
	switch f {
	case csv:
		return "csv"
	case tsv:
		return "tsv"
	case ndjson:
		return "ndjson"
	case parquet:
		return "parquet"
	case arrowFile, arrowStream:
		return "arrow"
	case combined:
		return "combined"
	case w3c:
		return "w3c"
	}
	return "unknown"
}

// formats are the values of Options.Format. Which kind of Arrow it is, the content says.
var formats = map[string]format{"csv": csv, "tsv": tsv, "ndjson": ndjson, "parquet": parquet, "arrow": arrowStream,
	"combined": combined, "w3c": w3c}

// extensions decide where the content does not.
var extensions = map[string]format{
	".csv": csv, ".txt": csv, ".tsv": tsv, ".tab": tsv,
	".ndjson": ndjson, ".jsonl": ndjson, ".json": ndjson,
	".parquet": parquet, ".parq": parquet, ".pq": parquet,
	".arrow": arrowFile, ".feather": arrowFile, ".ipc": arrowFile, ".arrows": arrowStream,
}

// foreign are formats that would otherwise be taken for CSV, and what to do about them.
var foreign = []struct{ magic, problem string }{
	{"\xfd7zXZ\x00", "is compressed with xz; use gzip, zstd or zip"},
	{"BZh", "is compressed with bzip2; use gzip, zstd or zip"},
	{"\x04\x22\x4d\x18", "is compressed with lz4; use gzip, zstd or zip"},
	{"7z\xbc\xaf\x27\x1c", "is a 7z archive; use gzip, zstd or zip"},
	{"Rar!", "is a RAR archive; use gzip, zstd or zip"},
	{"Obj\x01", "is Avro; convert it to Parquet"},
	{"ORC", "is ORC; convert it to Parquet"},
	{"FEA1", "is Feather version 1; write it as Arrow IPC"},
	{"SQLite format 3\x00", "is an SQLite database; read it as a database"},
	{"\x89HDF\r\n\x1a\n", "is HDF5; convert it to Parquet"},
	{"%PDF-", "is a PDF; export the data as CSV"},
	{"\xd0\xcf\x11\xe0", "is an old Office document; export the data as CSV"},
}

// headSize is how much of a file is looked at; blanks in front of a { and the lines of logs need more than 8.
const headSize = 4 << 10

// detect finds the format of m. With an override it only tells the two kinds of Arrow apart.
func detect(ctx context.Context, m unpack.Member, override string) (format, error) {
	forced := formats[override]
	if forced != unknown && forced != arrowStream {
		return forced, nil
	}
	head, err := readHead(ctx, m)
	if err != nil {
		return unknown, err
	}
	f := byContent(head)
	if forced == arrowStream {
		if f == arrowFile {
			return arrowFile, nil
		}
		return arrowStream, nil
	}
	if f != unknown {
		return f, nil
	}
	for _, kind := range foreign {
		if bytes.HasPrefix(head, []byte(kind.magic)) && isBinary(head) {
			return unknown, &table.Error{File: m.Name, Problem: kind.problem, Err: table.ErrMalformed}
		}
	}
	if f = byName(m.Name); f == unknown && len(trim(head)) != 0 {
		f = csv
	}
	return f, nil
}

// isBinary: a CSV may well have a first column called ORCHARD, but not control characters.
func isBinary(head []byte) bool {
	return bytes.IndexFunc(head, func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' && r != '\n' }) >= 0
}

func readHead(ctx context.Context, m unpack.Member) ([]byte, error) {
	s, err := m.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	head := make([]byte, headSize)
	n, err := io.ReadFull(s, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return head[:n], nil
}

// byContent returns the format that the first bytes prove.
func byContent(head []byte) format {
	switch {
	case bytes.HasPrefix(head, []byte("PAR1")), bytes.HasPrefix(head, []byte("PARE")):
		return parquet
	case bytes.HasPrefix(head, []byte("ARROW1")):
		return arrowFile
	case bytes.HasPrefix(head, []byte{0xff, 0xff, 0xff, 0xff}):
		return arrowStream
	}
	text := trim(head)
	// An array of objects is not NDJSON, but it is NDJSON's connector that can say what to do.
	array := bytes.HasPrefix(text, []byte("[")) && bytes.HasPrefix(trim(text[1:]), []byte("{"))
	if array || bytes.HasPrefix(text, []byte("{")) {
		return ndjson
	}
	for _, directive := range []string{"#Version:", "#Fields:", "#Software:"} {
		if bytes.HasPrefix(text, []byte(directive)) {
			return w3c
		}
	}
	if combinedLine.Match(text) {
		return combined
	}
	return unknown
}

// combinedLine is a line of a log up to its status. Any line that the head has will do, so that one that is
// damaged, or that somebody made up, does not decide how a file is read.
var combinedLine = regexp.MustCompile(`(?m)^[^ ,;\t]+ [^ ]+ [^ ]+ \[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "(?:[^"\\\n]|\\.)*" (?:\d{3}|-) (?:\d+|-)(?: |\r?$)`)

// trim removes what may stand in front of a text.
func trim(head []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
}

// byName returns the format that a name's extension promises.
func byName(name string) format {
	name = strings.ToLower(name)
	for _, packed := range []string{".gz", ".zst", ".zstd", ".zip"} {
		name = strings.TrimSuffix(name, packed)
	}
	return extensions[path.Ext(name)]
}
