// SPDX-License-Identifier: Apache-2.0

package strictyaml

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Binder turns nodes into Go values and collects every fault on the way. Its methods take the path of
// the node that they are given; the empty path is the root. A nil node stands for a key that is not
// there, and is left alone. A destination is written only where the node fits. A Binder is for one file
// and not safe for concurrent use.
type Binder struct {
	root   string
	lines  map[string]Place
	faults []Fault
}

// Place is a line of a file, whose name is empty for the file itself.
type Place struct {
	Source string
	Line   int
}

// NewBinder returns a Binder whose paths begin with root, such as "policy".
func NewBinder(root string) *Binder {
	return &Binder{root: root, lines: map[string]Place{}}
}

// Faults returns all faults so far, ordered by line, then by path.
func (b *Binder) Faults() []Fault {
	return slices.SortedStableFunc(slices.Values(b.faults), func(x, y Fault) int {
		if x.Line != y.Line {
			return x.Line - y.Line
		}
		return strings.Compare(x.Path, y.Path)
	})
}

// Add takes over the faults of Parse, whose paths it puts below the root.
func (b *Binder) Add(faults ...Fault) {
	for _, f := range faults {
		f.Path = b.below(f.Path)
		b.faults = append(b.faults, f)
	}
}

// Fault adds a fault of a node; n may be nil, and the line is then that of the nearest path above.
func (b *Binder) Fault(n *Node, path, got, want, fix string) {
	f := Fault{Path: b.path(path), Got: got, Want: want, Fix: fix}
	if n != nil {
		f.Line, f.Column, f.Source = n.Line, n.Column, n.Source
	} else {
		at := b.place(path)
		f.Line, f.Source = at.Line, at.Source
	}
	b.faults = append(b.faults, f)
}

// Line returns the line on which the value at path begins, or else the nearest value above it; 0 where
// nothing of the file has been bound.
func (b *Binder) Line(path string) int { return b.place(path).Line }

func (b *Binder) place(path string) Place {
	for path = b.path(path); path != ""; path = parent(path) {
		if at, ok := b.lines[path]; ok {
			return at
		}
	}
	return Place{}
}

// path puts a path below the root, once.
func (b *Binder) path(path string) string {
	if path == "" || path == b.root {
		return b.root
	}
	if rest, ok := strings.CutPrefix(path, b.root); ok && (rest[0] == '.' || rest[0] == '[') {
		return path
	}
	return b.below(path)
}

func (b *Binder) below(path string) string {
	if path == "" || path[0] == '[' || b.root == "" {
		return b.root + path
	}
	return b.root + "." + path
}

// is notes where n stands and reports whether it has the kind; another kind is a fault.
func (b *Binder) is(n *Node, path string, kind Kind, want, fix string) bool {
	if n == nil {
		return false
	}
	path = b.path(path)
	if _, ok := b.lines[path]; !ok {
		b.lines[path] = Place{n.Source, n.Line}
	}
	if n.Kind != kind {
		b.Fault(n, path, n.Kind.String(), want, fix)
	}
	return n.Kind == kind
}

// Mapping binds a mapping with known keys, in the order of the file: the function under a key is called
// with the key's value and path. A key that is not in fields is a fault. What is missing is the caller's
// to report; Mapping returns false where n is no mapping.
func (b *Binder) Mapping(n *Node, path string, fields map[string]func(n *Node, path string)) bool {
	if !b.is(n, path, Mapping, "a mapping", "write \"key: value\" lines") {
		return false
	}
	names := slices.Sorted(maps.Keys(fields))
	for _, e := range n.Entries {
		here := Child(b.path(path), e.Key)
		b.lines[here] = Place{e.Source, e.Line}
		if field, ok := fields[e.Key]; ok {
			field(e.Value, here)
			continue
		}
		b.unknownKey(e, here, names)
	}
	return true
}

func (b *Binder) unknownKey(e Entry, path string, names []string) {
	f := Fault{
		Line: e.Line, Column: e.Column, Source: e.Source, Path: path,
		Got: "the unknown key " + quote(e.Key), Want: "one of " + strings.Join(names, ", "), Fix: "remove it",
	}
	if name := DidYouMean(e.Key, names); name != "" {
		f.Fix = "did you mean " + name + "?"
	}
	b.faults = append(b.faults, f)
}

// Each binds a mapping whose keys are free, in the order of the file.
func (b *Binder) Each(n *Node, path string, f func(key string, n *Node, path string)) {
	if !b.is(n, path, Mapping, "a mapping", "write \"key: value\" lines") {
		return
	}
	for _, e := range n.Entries {
		here := Child(b.path(path), e.Key)
		b.lines[here] = Place{e.Source, e.Line}
		f(e.Key, e.Value, here)
	}
}

// Items binds a sequence.
func (b *Binder) Items(n *Node, path string, f func(i int, n *Node, path string)) {
	if !b.is(n, path, Sequence, "a list", "write it as [a, b] or as lines that begin with \"- \"") {
		return
	}
	for i, item := range n.Items {
		here := index(b.path(path), i)
		b.lines[here] = Place{item.Source, item.Line}
		f(i, item, here)
	}
}

// String binds any scalar as the text that the file shows, quoted or not.
func (b *Binder) String(n *Node, path string, dst *string) {
	if b.is(n, path, Scalar, "text", "write one value; quote it where it holds special characters") {
		*dst = n.Text
	}
}

// Text returns what String binds, "" where that is a fault.
func (b *Binder) Text(n *Node, path string) string {
	var text string
	b.String(n, path, &text)
	return text
}

// Strings binds a sequence of scalars. One scalar is not a sequence of one.
func (b *Binder) Strings(n *Node, path string, dst *[]string) {
	texts := []string{}
	b.Items(n, path, func(_ int, n *Node, path string) { texts = append(texts, b.Text(n, path)) })
	if n != nil && n.Kind == Sequence {
		*dst = texts
	}
}

var (
	integerText = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)
	decimalText = regexp.MustCompile(`^-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$`)
	zeroText    = regexp.MustCompile(`^-[0.]*([eE].*)?$`)
)

// Int binds a plain decimal integer without quotes that fits int64.
func (b *Binder) Int(n *Node, path string, dst *int64) {
	const want, fix = "a whole number such as 20", "write plain digits without quotes, point, exponent or underscore"
	if !b.is(n, path, Scalar, want, fix) {
		return
	}
	v, err := strconv.ParseInt(n.Text, 10, 64)
	if n.Quoted || err != nil || !integerText.MatchString(n.Text) {
		b.Fault(n, path, shown(n), want, fix)
		return
	}
	*dst = v
}

// Bool binds true or false, without quotes.
func (b *Binder) Bool(n *Node, path string, dst *bool) {
	const want, fix = "true or false", "write true or false in lower case without quotes"
	if !b.is(n, path, Scalar, want, fix) {
		return
	}
	if n.Quoted || n.Text != "true" && n.Text != "false" {
		b.Fault(n, path, shown(n), want, fix)
		return
	}
	*dst = n.Text == "true"
}

// Decimal binds the text of a plain decimal number, in quotes or not, such as 0.5, -3 or "1e-9". The
// text is not rounded or rewritten. It refuses infinities, what is not a number, -0, other bases,
// underscores, and exponents of more than two digits.
func (b *Binder) Decimal(n *Node, path string, dst *string) {
	const want, fix = "a plain decimal number such as 0.5 or 1e-9", "write it in digits"
	if !b.is(n, path, Scalar, want, fix) {
		return
	}
	if !decimalText.MatchString(n.Text) || zeroText.MatchString(n.Text) {
		b.Fault(n, path, shown(n), want, fix)
		return
	}
	*dst = n.Text
}

// Choice binds one of names, exactly as it is spelled there.
func (b *Binder) Choice(n *Node, path string, names []string, dst *string) {
	want := "one of " + strings.Join(names, ", ")
	if !b.is(n, path, Scalar, want, "write one of them") {
		return
	}
	if slices.Contains(names, n.Text) {
		*dst = n.Text
		return
	}
	fix := "write one of them"
	if name := DidYouMean(n.Text, names); name != "" {
		fix = "did you mean " + name + "?"
	}
	b.Fault(n, path, shown(n), want, fix)
}

// shown returns a scalar as a fault shows it.
func shown(n *Node) string {
	if n.Quoted {
		return fmt.Sprintf("the quoted text %s", quote(n.Text))
	}
	return quote(n.Text)
}

// Lines returns the place of every path that has been bound.
func (b *Binder) Lines() map[string]Place { return maps.Clone(b.lines) }
