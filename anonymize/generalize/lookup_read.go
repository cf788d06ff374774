// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/throngdp/throng/anonymize"
)

// lookupReader reads one table.
type lookupReader struct {
	LookupSpec
	keys   map[string]string // in canonical spelling
	labels map[string]string // one copy of each
	faults []error
	out    *Lookup
}

func (l *lookupReader) fault(line int, problem string) {
	l.faults = append(l.faults, &LineError{line, errors.New(problem)})
}

func (l *lookupReader) read() error {
	text := strings.TrimPrefix(l.Table, "\ufeff")
	r := csv.NewReader(strings.NewReader(text))
	first, _, _ := strings.Cut(text, "\n")
	if strings.Contains(first, ";") {
		r.Comma = ';'
	}
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	for rows := 0; len(l.faults) < maxLookupFaults; rows++ {
		fields, err := r.Read()
		var parse *csv.ParseError
		switch {
		case err == io.EOF:
			if rows == 0 {
				return errors.New("want a table of at least one line; write key;label")
			}
			if len(l.labels) > maxLookupLabels {
				return fmt.Errorf("want at most %d different labels; choose a coarser level", maxLookupLabels)
			}
			return errors.Join(l.faults...)
		case errors.As(err, &parse):
			l.fault(parse.Line, "want fields whose quotes are closed and doubled inside; correct it")
			return errors.Join(l.faults...)
		case err != nil:
			return errors.New("want text that can be read; correct it")
		case rows == maxLookupRows:
			return fmt.Errorf("want at most %d lines; leave out what is not needed", maxLookupRows)
		}
		line, _ := r.FieldPos(0)
		l.row(line, fields)
	}
	return errors.Join(l.faults...)
}

func (l *lookupReader) row(line int, fields []string) {
	if int64(len(fields)) <= l.Level {
		l.fault(line, fmt.Sprintf("want a key and %d levels; complete the line", l.Level))
		return
	}
	label, ok := l.label(fields[l.Level])
	if !ok {
		l.fault(line, fmt.Sprintf("want a label of at most %d bytes in UTF-8; correct it", anonymize.MaxText))
		return
	}
	key, problem := l.key(fields[0])
	if problem != "" {
		l.fault(line, problem)
		return
	}
	if other, ok := l.keys[key]; ok && other != label {
		l.fault(line, "want one label for a key, and the key stands in an earlier line with another; drop one")
		return
	}
	l.keys[key] = label
}

// label returns the canonical spelling of a label, "" where a line says nothing at the level.
func (l *lookupReader) label(field string) (string, bool) {
	if strings.TrimSpace(field) == "" {
		return "", true
	}
	var buf [anonymize.MaxText]byte
	text, ok := anonymize.AppendText(buf[:0], []byte(field))
	if !ok {
		return "", false
	}
	label, ok := l.labels[string(text)]
	if !ok {
		label = string(text)
		l.labels[label] = label
	}
	return label, true
}

// key returns the canonical spelling of a key, or what is wrong with it.
func (l *lookupReader) key(field string) (key, problem string) {
	switch l.By {
	case ByValue:
		text, ok := anonymize.AppendText(nil, []byte(field))
		if !ok {
			return "", fmt.Sprintf("want a value of 1 to %d visible bytes in UTF-8; correct it", anonymize.MaxText)
		}
		return string(text), ""
	case ByPrefix:
		code, ok := compact([]byte(field))
		if !ok {
			return "", fmt.Sprintf("want a prefix of 1 to %d visible bytes in UTF-8; correct it", anonymize.MaxText)
		}
		if l.As == anonymize.AsPhone && !isPhonePrefix(code) {
			return "", "want a plus sign and digits; write the prefix with its country code"
		}
		return code, ""
	}
	network, ok := parseNetwork(field)
	if !ok {
		return "", "want a network such as 198.51.100.0/24, or an address (a table has no header line); correct it"
	}
	return network.String(), ""
}

func isPhonePrefix(code string) bool {
	digits, ok := strings.CutPrefix(code, "+")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// finish builds what cells are looked up in.
func (l *lookupReader) finish() (*Lookup, error) {
	out := l.out
	out.labels = slices.Sorted(maps.Keys(l.labels))
	var err error
	switch l.By {
	case ByValue:
		out.values, err = newMatcher(l.keys)
	case ByPrefix:
		out.prefixes = l.keys
		lengths := map[int]bool{}
		for key := range l.keys {
			lengths[len(key)] = true
		}
		out.lengths = slices.Sorted(maps.Keys(lengths))
		slices.Reverse(out.lengths)
	default:
		out.networks = newNetworks(l.keys)
	}
	return out, err
}
