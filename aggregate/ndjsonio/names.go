// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxListed bounds how many paths [Source.Names] tells apart.
const maxListed = 1 << 14

// Names returns the paths at which the first records have a value that is neither null nor an array, each
// with the number of records that have it, and how many records were read. It is for proposing columns to
// the data's owner: a file whose names are data, such as an object with a member for each user, shows them
// here. Lines that are no record count as none. Of more than 16,384 paths the first are returned.
func (s *Source) Names(ctx context.Context, records int) (names map[string]int, read int, err error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	in, err := s.open(ctx)
	if err != nil {
		return nil, 0, fault(s.name, "opening the input failed", err)
	}
	defer func() {
		if closed := in.Close(); closed != nil && err == nil {
			err = fault(s.name, "reading the input failed", closed)
		}
	}()
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), 1<<20)
	l := lister{names: map[string]int{}}
	for read < records && lines.Scan() {
		if read%1024 == 0 && ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		if l.add(lines.Bytes()) {
			read++
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
		return nil, 0, fault(s.name, "reading the input failed", err)
	}
	return l.names, read, nil
}

// lister collects the paths of records.
type lister struct {
	names map[string]int
	paths []string // of the record at hand
}

// add lists one line, and reports whether it is a record.
func (l *lister) add(line []byte) bool {
	line = bytes.TrimPrefix(line, []byte("\ufeff"))
	d := jsontext.NewDecoder(bytes.NewReader(line))
	l.paths = l.paths[:0]
	if d.PeekKind() != '{' || !l.object(d, "", 1) {
		return false
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return false
	}
	for _, path := range l.paths {
		if l.names[path] > 0 || len(l.names) < maxListed {
			l.names[path]++
		}
	}
	return true
}

// object reads an object whose members stand below prefix.
func (l *lister) object(d *jsontext.Decoder, prefix string, depth int) bool {
	if _, err := d.ReadToken(); err != nil {
		return false
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return false
		}
		if !l.member(d, prefix+name.String(), depth) {
			return false
		}
	}
	_, err := d.ReadToken()
	return err == nil
}

func (l *lister) member(d *jsontext.Decoder, path string, depth int) bool {
	switch kind := d.PeekKind(); {
	case kind == '{' && depth < maxNames:
		return l.object(d, path+".", depth+1)
	case kind == '"', kind == '0', kind == 't', kind == 'f':
		if strings.Count(path, ".") < maxNames {
			l.paths = append(l.paths, path)
		}
	}
	return d.SkipValue() == nil
}
