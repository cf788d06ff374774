// SPDX-License-Identifier: Apache-2.0

package csvio_test

import "bytes"

// naive takes an input apart as the package documents it, byte by byte and with all of it in memory.
type naive struct {
	in     []byte
	fields int
	delim  string
	eol    byte
}

// rows returns the cells of all good records from pos on, \N and the empty field as null.
func (n *naive) rows(pos int) [][]string {
	const limit = 1 << 20
	rows := [][]string{}
	until := 0 // lines that begin before it end records even in quotes
	for pos < len(n.in) {
		end, next := len(n.in), len(n.in)
		if k := bytes.IndexByte(n.in[pos:], n.eol); k >= 0 {
			end, next = pos+k, pos+k+1
		}
		line := n.in[pos:end]
		if len(line) > limit {
			pos = next
			continue
		}
		if pos < until || !bytes.ContainsRune(line, '"') {
			if cells, _, _, ok := n.record(line); ok && len(n.trimmed(line)) > 0 && len(cells) == n.fields {
				rows = append(rows, cells)
			}
			pos = next
			continue
		}
		cells, length, looked, ok := n.record(n.in[pos:min(len(n.in), pos+limit+18)])
		if !ok || length > limit {
			until, pos = pos+looked, next
			continue
		}
		if len(cells) == n.fields {
			rows = append(rows, cells)
		}
		pos += looked
	}
	return rows
}

func (n *naive) trimmed(line []byte) []byte {
	if n.eol == '\n' {
		return bytes.TrimSuffix(line, []byte("\r"))
	}
	return line
}

// record reads one record. looked is where it ends with its line end or, where it is not ok, how far
// it was understood.
func (n *naive) record(p []byte) (cells []string, length, looked int, ok bool) {
	for i := 0; ; {
		cell, quoted := []byte{}, i < len(p) && p[i] == '"'
		if quoted {
			for i++; ; i++ {
				if i >= len(p) {
					return nil, 0, len(p), false
				}
				if p[i] == '"' {
					if i++; i == len(p) || p[i] != '"' {
						break
					}
				}
				cell = append(cell, p[i])
			}
		} else {
			for i < len(p) && p[i] != n.eol && !bytes.HasPrefix(p[i:], []byte(n.delim)) {
				cell = append(cell, p[i])
				i++
			}
		}
		lineEnd := 0
		switch {
		case i == len(p):
		case bytes.HasPrefix(p[i:], []byte(n.delim)):
			cells = append(cells, cellText(cell, quoted))
			i += len(n.delim)
			continue
		case p[i] == n.eol:
			lineEnd = 1
		case p[i] == '\r' && (i+1 == len(p) || p[i+1] == n.eol):
			lineEnd = min(2, len(p)-i)
		default:
			return nil, 0, i, false // only after a closing quote
		}
		length = i
		if !quoted && n.eol == '\n' && bytes.HasSuffix(cell, []byte("\r")) {
			cell, length = cell[:len(cell)-1], i-1
		}
		return append(cells, cellText(cell, quoted)), length, i + lineEnd, true
	}
}

func cellText(cell []byte, quoted bool) string {
	if len(cell) == 0 || !quoted && string(cell) == `\N` {
		return null
	}
	return string(cell)
}
