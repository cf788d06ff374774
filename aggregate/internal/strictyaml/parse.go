// SPDX-License-Identifier: Apache-2.0

package strictyaml

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Parse reads one file. It returns all faults that it finds, ordered by line, and a nil node where there
// is any. An empty file is a node of kind Null. Parse never panics and keeps nothing of src.
func Parse(src []byte) (root *Node, faults []Fault) {
	defer func() {
		if recover() != nil {
			// The text of a panic is the parser's own and says nothing to the person who wrote the file.
			root, faults = nil, []Fault{{
				Got: "text that cannot be taken apart", Want: "YAML", Fix: "write it more simply",
			}}
		}
	}()
	if len(src) > MaxBytes {
		return nil, []Fault{{
			Got: fmt.Sprintf("%d bytes", len(src)), Want: fmt.Sprintf("at most %d", MaxBytes),
			Fix: "shorten the file: long lists of values belong in a file of their own",
		}}
	}
	text := normalize(src)
	if faults := screen(text); len(faults) > 0 {
		return nil, faults
	}
	tokens := lexer.Tokenize(text)
	if faults := checkTokens(text, tokens); len(faults) > 0 {
		return nil, faults
	}
	// The walk finds every doubled key; the parser would stop at the first.
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, []Fault{syntaxFault(err)}
	}
	return walkFile(file, tokens)
}

// syntaxFault turns an error of the parser into a fault without the excerpt of the file that its text
// has.
func syntaxFault(err error) Fault {
	f := Fault{Got: "text that is not YAML", Want: "YAML", Fix: "correct it, or quote the text"}
	var syntax interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if !errors.As(err, &syntax) {
		return f
	}
	f.Got += " (" + plain(syntax.GetMessage()) + ")"
	if tk := syntax.GetToken(); tk != nil && tk.Position != nil {
		f.Line, f.Column = tk.Position.Line, tk.Position.Column
	}
	return f
}

// plain makes one short line of a message of the lexer or the parser.
func plain(message string) string {
	message = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, message)
	if runes := []rune(message); len(runes) > 2*maxQuote {
		message = string(runes[:2*maxQuote]) + "…"
	}
	return message
}

// walkFile turns the parser's tree into ours.
func walkFile(file *ast.File, tokens token.Tokens) (*Node, []Fault) {
	w := walker{used: map[*token.Token]bool{}}
	root := &Node{Line: 1, Column: 1}
	if len(file.Docs) > 1 {
		w.fault(file.Docs[1].Body, "", "a second document", "one document", "put it into a file of its own")
	}
	if len(file.Docs) > 0 && file.Docs[0].Body != nil {
		root = w.node(file.Docs[0].Body, "")
	}
	if len(w.faults) == 0 {
		w.unused(tokens)
	}
	if len(w.faults) > 0 {
		return nil, w.faults
	}
	return root, nil
}

// walker builds nodes and remembers the tokens that went into them.
type walker struct {
	used   map[*token.Token]bool
	faults []Fault
}

func (w *walker) fault(n ast.Node, path, got, want, fix string) {
	if len(w.faults) >= maxFaults {
		return
	}
	f := Fault{Path: path, Got: got, Want: want, Fix: fix}
	if n != nil {
		if tk := n.GetToken(); tk != nil && tk.Position != nil {
			f.Line, f.Column = tk.Position.Line, tk.Position.Column
		}
	}
	w.faults = append(w.faults, f)
}

// node turns n into a Node. The depth is that of the tokens, which has been checked.
func (w *walker) node(n ast.Node, path string) *Node {
	switch n := n.(type) {
	case *ast.MappingNode:
		return w.mapping(n, path, n.Values)
	case *ast.MappingValueNode:
		return w.mapping(n, path, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		out := newNode(Sequence, n)
		for i, item := range n.Values {
			out.Items = append(out.Items, w.node(item, index(path, i)))
		}
		return out
	case *ast.LiteralNode:
		out := newNode(Scalar, n)
		out.Quoted = true
		if n.Value != nil {
			w.used[n.Value.GetToken()] = true
			out.Text = n.Value.Value
		}
		return out
	case *ast.NullNode:
		w.used[n.GetToken()] = true
		return newNode(Null, n)
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return w.scalar(n)
	}
	w.fault(n, path, "a value of a kind that is not used here", "text, a number, a list or a mapping",
		"write it out, or quote the text")
	return &Node{}
}

func (w *walker) scalar(n ast.Node) *Node {
	tk := n.GetToken()
	w.used[tk] = true
	out := newNode(Scalar, n)
	out.Text = tk.Value
	out.Quoted = tk.Type == token.SingleQuoteType || tk.Type == token.DoubleQuoteType
	return out
}

func (w *walker) mapping(n ast.Node, path string, values []*ast.MappingValueNode) *Node {
	out := newNode(Mapping, n)
	out.Entries = make([]Entry, 0, len(values))
	lines := make(map[string]int, len(values))
	for _, v := range values {
		tk := v.Key.GetToken()
		w.used[tk] = true
		entry := Entry{Key: tk.Value, Line: tk.Position.Line, Column: tk.Position.Column}
		here := Child(path, entry.Key)
		if _, ok := v.Key.(*ast.StringNode); !ok {
			w.fault(v.Key, here, "the key "+quote(entry.Key)+", which is not text to YAML", "a key that is text",
				"write it as "+quote(entry.Key)+", with the quotes")
		}
		if line, twice := lines[entry.Key]; twice {
			w.fault(v.Key, here, fmt.Sprintf("a second %s (the first is on line %d)", quote(entry.Key), line),
				"each key once", "remove one")
		} else {
			lines[entry.Key] = entry.Line
		}
		entry.Value = w.node(v.Value, here)
		out.Entries = append(out.Entries, entry)
	}
	if len(out.Entries) > 0 && out.Entries[0].Line <= out.Line {
		out.Line, out.Column = out.Entries[0].Line, out.Entries[0].Column
	}
	return out
}

// unused makes a fault of every scalar that the parser left out of its tree: what a person wrote is
// either read or refused.
func (w *walker) unused(tokens token.Tokens) {
	for _, tk := range tokens {
		if isScalar(tk.Type) && !w.used[tk] && len(w.faults) < maxFaults {
			w.faults = append(w.faults, Fault{
				Line: tk.Position.Line, Column: tk.Position.Column,
				Got: "the text " + quote(tk.Value) + " where none can stand", Want: "YAML",
				Fix: "correct the lines around it",
			})
		}
	}
}

func newNode(kind Kind, n ast.Node) *Node {
	out := &Node{Kind: kind, Line: 1, Column: 1}
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		out.Line, out.Column = tk.Position.Line, tk.Position.Column
	}
	return out
}
