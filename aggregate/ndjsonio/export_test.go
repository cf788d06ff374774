// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"bytes"

	"github.com/throngdp/throng/aggregate/table"
)

// In returns the source with blocks of about block bytes and that many readers.
func (s *Source) In(block, readers int) *Source {
	other := *s
	other.block, other.readers = block, readers
	return &other
}

// Exact reads all of data with the exact parser alone, and at once.
func Exact(data []byte, columns ...string) *table.Batch {
	root := &node{}
	for i, c := range columns {
		root.add(c, i)
	}
	p := newParser(root, columns)
	b := &table.Batch{}
	b.Reset(len(columns))
	p.begin(b)
	for at := 0; at < len(data); {
		line, _, _ := bytes.Cut(data[at:], []byte("\n"))
		if len(line) <= maxLine && p.exact(line, at) {
			p.appendTo(b, data)
		}
		at += len(line) + 1
	}
	return b
}

// Quick reports for each line of data whether one quick parser after the other is sure of it.
func Quick(data []byte, columns ...string) (sure []bool) {
	root := &node{}
	for i, c := range columns {
		root.add(c, i)
	}
	p := newParser(root, columns)
	for at := 0; at < len(data); {
		line, _, _ := bytes.Cut(data[at:], []byte("\n"))
		p.clear()
		sure = append(sure, p.quick(data, at) == at+len(line))
		at += len(line) + 1
	}
	return sure
}

// Learned is how many names a parser has learned at most while it read data, and by its end.
func Learned(data []byte, columns ...string) (most, end int) {
	root := &node{}
	for i, c := range columns {
		root.add(c, i)
	}
	p := newParser(root, columns)
	for at := 0; at < len(data); {
		at, _ = p.next(data, at)
		most = max(most, p.learned)
	}
	return most, p.learned
}
