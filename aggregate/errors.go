// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/throngdp/throng/aggregate/internal/strictyaml"
)

// ErrSpec marks every fault of a policy or a release.
var ErrSpec = errors.New("policy or release cannot be used")

// FieldError is one fault of a policy or a release. Its text is "path: got X, want Y; fix", with the
// file and line in front where the value came from a file. It may quote what the policy or release
// says; it never holds anything read from an input.
type FieldError struct {
	// Path is the field, such as policy.columns.gender.role.
	Path           string
	Got, Want, Fix string
	// File and Line say where; empty and 0 for a Go value.
	File string
	Line int
}

// Error returns the fault as one line.
func (e *FieldError) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File + ":")
		if e.Line > 0 {
			fmt.Fprintf(&b, "%d:", e.Line)
		}
		b.WriteByte(' ')
	}
	fmt.Fprintf(&b, "%s: got %s, want %s", e.Path, e.Got, e.Want)
	if e.Fix != "" {
		b.WriteString("; " + e.Fix)
	}
	return b.String()
}

// Unwrap returns ErrSpec.
func (e *FieldError) Unwrap() error { return ErrSpec }

// Faults returns the single faults of an error that joins several, in order; the error itself where
// it joins none.
func Faults(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, Faults(e)...)
		}
		return all
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// where finds the file and line of a path.
type where struct {
	file  string
	lines map[string]strictyaml.Place
}

// place returns the file and the line of a path, or else of the nearest path above it.
func (w where) place(path string) (file string, line int) {
	for path != "" {
		if at, ok := w.lines[path]; ok {
			return cmp.Or(at.Source, w.file), at.Line
		}
		path = path[:max(strings.LastIndexByte(path, '.'), strings.LastIndexByte(path, '['), 0)]
	}
	return w.file, 0
}

// faults collects what is wrong with a policy or a release.
type faults struct {
	where
	list []*FieldError
}

func (f *faults) add(path, got, want, fix string) {
	file, line := f.place(path)
	f.list = append(f.list, &FieldError{Path: path, Got: got, Want: want, Fix: fix, File: file, Line: line})
}

// unset adds the fault of a field that must be given.
func (f *faults) unset(path, want, fix string) { f.add(path, "nothing", want, fix) }

// problems adds the faults that a room below reports as "want …; fix" or "want …, got …; fix". What it
// does not quote is got.
func (f *faults) problems(path, got string, err error) {
	for _, err := range Faults(err) {
		want, fix, _ := strings.Cut(strings.TrimPrefix(err.Error(), "want "), "; ")
		found := got
		if i := strings.LastIndex(want, ", got "); i >= 0 {
			want, found = want[:i], want[i+len(", got "):]
		}
		if found == `""` {
			found = "nothing"
		}
		f.add(path, found, want, fix)
	}
}

// mechanism adds the fault that calibration reports as "name: got …, want …; fix" for one part of a
// table.
func (f *faults) mechanism(path, part string, err error) {
	name, rest, _ := strings.Cut(err.Error(), ": got ")
	got, rest, _ := strings.Cut(rest, ", want ")
	want, fix, _ := strings.Cut(rest, "; ")
	switch {
	case strings.HasSuffix(name, ".epsilon"):
		got = "ε = " + got
	case strings.HasSuffix(name, ".delta"):
		got = "δ = " + got
	}
	f.add(path, got+" for "+part, want, fix)
}

// oneOf adds a fault unless got is one of names, and reports whether it is.
func (f *faults) oneOf(path, got string, names ...string) bool {
	if slices.Contains(names, got) {
		return true
	}
	want, fix := "one of "+strings.Join(names, ", "), "choose one"
	if len(names) == 0 {
		want, fix = "a name that is declared, and none is", "declare it first, or remove it"
	}
	if name := strictyaml.DidYouMean(got, names); name != "" {
		fix = "did you mean " + name + "?"
	}
	if got == "" {
		f.unset(path, want, fix)
		return false
	}
	f.add(path, quoted(got), want, fix)
	return false
}

// quoted shows what a policy or release says, shortened.
func quoted(text string) string { return fmt.Sprintf("%.70q", text) }

// err returns all faults, ordered by line and path, as one error; nil where there are none.
func (f *faults) err() error {
	list := slices.Clone(f.list)
	slices.SortStableFunc(list, func(a, b *FieldError) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path))
	})
	var all []error
	for _, e := range list {
		all = append(all, e)
	}
	return errors.Join(all...)
}
