// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/throngdp/throng/aggregate/internal/strictyaml"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
)

// Lookup is a table of the owner's that turns raw values into labels: carriers by the prefix of a number,
// countries by network, a hierarchy as ARX writes it.
type Lookup struct {
	// File is the file of the table, seen from the policy's. [LoadPolicy] reads it.
	File string
	// Table is the text of the table, at most 32 MiB and 2^20 lines: CSV without a header line, in UTF-8, as
	// key;level1;level2 and so on or with commas. A label that is empty is Otherwise.
	Table string
	// By says how keys are compared with cells: value as those of Values are, prefix by the longest key that a
	// cell begins with, network by the smallest network that holds an IP address.
	By string
	// Level is the column of labels that is used, from 1; 0 means 1.
	Level int64

	read atomic.Pointer[readLookup]
}

// readLookup is a table as it was read last.
type readLookup struct {
	spec  generalize.LookupSpec
	table *generalize.Lookup
	err   error
}

// maxLookupBytes is the largest file of a table.
const maxLookupBytes = 32 << 20

// lookup reads the column's table, once as long as it stays the same; nil where it has none.
func (c Column) lookup() (*generalize.Lookup, error) {
	l := c.Lookup
	if l == nil {
		return nil, nil
	}
	spec := generalize.LookupSpec{Table: l.Table, By: generalize.By(l.By), Level: l.level(), As: anonymize.As(c.As)}
	if r := l.read.Load(); r != nil && r.spec == spec {
		return r.table, r.err
	}
	r := &readLookup{spec: spec}
	r.table, r.err = generalize.NewLookup(spec)
	l.read.Store(r)
	return r.table, r.err
}

func (l *Lookup) level() int64 {
	if l.Level == 0 {
		return 1
	}
	return l.Level
}

// validateLookup reports the faults of a table, those of lines by their number, and whether there are none.
func (c Column) validateLookup(f *faults, path string) bool {
	l := c.Lookup
	switch {
	case l == nil:
		return true
	case !f.oneOf(path+".by", l.By, string(generalize.ByValue), string(generalize.ByPrefix), string(generalize.ByNetwork)):
		return false
	case l.Table == "" && l.File == "":
		f.unset(path+".file", "the file of the table", "name it")
		return false
	case l.Table == "":
		f.unset(path+".file", "a table that is read", "load the policy from its file, or fill Table")
		return false
	}
	_, err := c.lookup()
	for _, fault := range Faults(err) {
		var line *generalize.LineError
		if !errors.As(fault, &line) {
			f.problems(path, "something else", fault)
			continue
		}
		want, fix, _ := strings.Cut(strings.TrimPrefix(line.Err.Error(), "want "), "; ")
		f.list = append(f.list, &FieldError{
			Path: path, Got: fmt.Sprintf("something else in line %d", line.Line), Want: want, Fix: fix, File: f.beside(l.File), Line: line.Line,
		})
	}
	return err == nil
}

// beside returns the path of a file that a policy names.
func (w where) beside(file string) string {
	if w.file == "" || file == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(filepath.Dir(w.file), file)
}

// loadLookups reads the files of a policy's tables.
func (p *Policy) loadLookups() error {
	f := &faults{where: p.where}
	for _, name := range slices.Sorted(maps.Keys(p.Columns)) {
		l := p.Columns[name].Lookup
		if l == nil || l.File == "" {
			continue
		}
		text, problem := readLookupFile(p.beside(l.File))
		if problem != "" {
			f.add(strictyaml.Child("policy.columns", name)+".lookup.file", quoted(l.File)+", "+problem,
				fmt.Sprintf("a file of at most %d MiB that can be read", maxLookupBytes>>20), "paths begin at the policy's folder; correct it")
			continue
		}
		l.Table = text
	}
	return f.err()
}

// readLookupFile returns the text of a file, or what is wrong with it.
func readLookupFile(path string) (text, problem string) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return "", "which is no regular file"
	}
	var file *os.File
	if err == nil {
		file, err = os.Open(path)
	}
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return "", "which cannot be opened (" + err.Error() + ")"
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxLookupBytes+1))
	switch {
	case err != nil:
		return "", "which cannot be read"
	case len(content) > maxLookupBytes:
		return "", "which is larger"
	case len(content) == 0:
		return "", "which is empty"
	}
	return string(content), ""
}

// planLookups says by which tables labels are found: another table is another plan.
func (c *compiled) planLookups() (lookups []string) {
	for _, d := range c.dims {
		if l := d.column.Lookup; l != nil {
			lookups = append(lookups, fmt.Sprintf("%s by %s, level %d of the table with the SHA-256 %x", d.name, l.By, l.level(), sha256.Sum256([]byte(l.Table))))
		}
	}
	return lookups
}
