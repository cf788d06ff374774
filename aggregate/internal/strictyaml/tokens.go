// SPDX-License-Identifier: Apache-2.0

package strictyaml

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// checkTokens refuses on the flat list of tokens what must not reach the parser, which recurses: depth
// above all, and every feature of YAML that is refused anyway.
func checkTokens(text string, tokens token.Tokens) []Fault {
	if n := countTokens(tokens); n > MaxTokens {
		return []Fault{{
			Got: fmt.Sprintf("%d tokens", n), Want: fmt.Sprintf("at most %d", MaxTokens),
			Fix: "shorten the file: long lists of values belong in a file of their own",
		}}
	}
	c := tokenChecker{rest: text, line: 1, column: 1}
	for i, tk := range tokens {
		if len(c.faults) >= maxFaults {
			break
		}
		c.feature(i, tk)
		c.scalar(tokens, i)
		c.level(tokens, i)
	}
	return c.faults
}

// countTokens leaves comments out: the parser never sees them.
func countTokens(tokens token.Tokens) int {
	n := 0
	for _, tk := range tokens {
		if tk.Type != token.CommentType {
			n++
		}
	}
	return n
}

// tokenChecker keeps what is open while it walks over the tokens.
type tokenChecker struct {
	rest         string // the file's text from line and column on
	line, column int
	flow         int   // open brackets and braces
	block        []int // columns of the open block sequences and mappings
	deep         bool
	faults       []Fault
}

func (c *tokenChecker) fault(tk *token.Token, got, want, fix string) {
	c.faults = append(c.faults, Fault{
		Line: tk.Position.Line, Column: tk.Position.Column, Got: got, Want: want, Fix: fix,
	})
}

// feature refuses the parts of YAML that these files do without.
func (c *tokenChecker) feature(i int, tk *token.Token) {
	switch tk.Type {
	case token.AnchorType:
		c.fault(tk, "an anchor (&)", "plain values", "write the value out where it is used, or quote the text")
	case token.AliasType:
		c.fault(tk, "an alias (*)", "plain values", "write the value out where it is used, or quote the text")
	case token.MergeKeyType:
		c.fault(tk, "a merge key (<<)", "plain keys", "write the keys out where they are used")
	case token.TagType:
		c.fault(tk, "a tag (!)", "plain values", "remove the tag, or quote the text")
	case token.DirectiveType:
		c.fault(tk, "a directive (%)", "plain values", "remove the line, or quote the text")
	case token.MappingKeyType:
		c.fault(tk, "a complex key (?)", "plain keys", "write \"key: value\"")
	case token.DocumentHeaderType:
		if i > 0 {
			c.fault(tk, "a second document (---)", "one document", "put it into a file of its own")
		}
	case token.DocumentEndType:
		c.fault(tk, "an end of document (...)", "one document", "remove the line")
	case token.InvalidType:
		c.fault(tk, "text that is not YAML ("+plain(tk.Error)+")", "YAML", "correct it, or quote the text")
	}
}

// scalar refuses text that the lexer takes but does not mean what it shows, and keys that are too long.
func (c *tokenChecker) scalar(tokens token.Tokens, i int) {
	tk := tokens[i]
	if tk.Type == token.DoubleQuoteType {
		if bad := badEscape(c.from(tk)); bad != "" {
			c.fault(tk, "the escape "+quote(bad), `\", \\, \/, \n, \t, \xHH, \uHHHH or \UHHHHHHHH`, "correct the escape")
		}
	}
	if !isScalar(tk.Type) {
		return
	}
	for _, r := range tk.Value {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			c.fault(tk, "a control character in quotes", "text", "remove it")
			break
		}
	}
	if i+1 < len(tokens) && tokens[i+1].Type == token.MappingValueType && len(tk.Value) > maxKey {
		c.fault(tk, "the key "+quote(tk.Value), fmt.Sprintf("at most %d bytes", maxKey), "shorten it")
	}
}

// level follows how deep the tokens nest. In block style a sequence or a mapping is known by its column.
func (c *tokenChecker) level(tokens token.Tokens, i int) {
	tk := tokens[i]
	switch tk.Type {
	case token.MappingStartType, token.SequenceStartType:
		c.flow++
	case token.MappingEndType, token.SequenceEndType:
		c.flow = max(0, c.flow-1)
	case token.SequenceEntryType:
		c.open(tk.Position.Column)
	case token.MappingValueType:
		if i > 0 {
			c.open(tokens[i-1].Position.Column)
		}
	}
	if !c.deep && c.flow+len(c.block) > MaxLevels {
		c.deep = true
		c.fault(tk, "deeper nesting", fmt.Sprintf("at most %d levels", MaxLevels), "flatten the file")
	}
}

func (c *tokenChecker) open(column int) {
	if c.flow > 0 {
		return
	}
	for len(c.block) > 0 && c.block[len(c.block)-1] > column {
		c.block = c.block[:len(c.block)-1]
	}
	if len(c.block) == 0 || c.block[len(c.block)-1] < column {
		c.block = append(c.block, column)
	}
}

// from returns the file's text from a token's first character on. Tokens come in the order of the file,
// so that all calls together read it once.
func (c *tokenChecker) from(tk *token.Token) string {
	for c.rest != "" && (c.line < tk.Position.Line || c.line == tk.Position.Line && c.column < tk.Position.Column) {
		r, size := utf8.DecodeRuneInString(c.rest)
		c.rest = c.rest[size:]
		c.column++
		if r == '\n' {
			c.line, c.column = c.line+1, 1
		}
	}
	return c.rest
}

// badEscape returns the first escape of a double-quoted text that is refused, and "" where none is.
// It is needed because the lexer takes any two characters after \x.
func badEscape(source string) string {
	if !strings.HasPrefix(source, `"`) {
		return source[:min(1, len(source))]
	}
	for i := 1; i < len(source); i++ {
		switch source[i] {
		case '"':
			return ""
		case '\\':
			n := escapeLength(source[i:])
			if n < 0 {
				return source[i:min(i+2, len(source))]
			}
			i += n - 1
		}
	}
	return ""
}

func escapeLength(source string) int {
	if len(source) < 2 {
		return -1
	}
	switch source[1] {
	case '"', '\\', '/', 'n', 't', '\n':
		return 2
	case 'x':
		return hexEscape(source, 2)
	case 'u':
		return hexEscape(source, 4)
	case 'U':
		return hexEscape(source, 8)
	}
	return -1
}

// hexEscape returns the length of an escape of digits hexadecimal digits that stands for a character.
func hexEscape(source string, digits int) int {
	if len(source) < 2+digits {
		return -1
	}
	r, err := strconv.ParseUint(source[2:2+digits], 16, 32)
	if err != nil || !utf8.ValidRune(rune(r)) {
		return -1
	}
	return 2 + digits
}

func isScalar(t token.Type) bool {
	switch t {
	case token.StringType, token.SingleQuoteType, token.DoubleQuoteType, token.NullType, token.BoolType,
		token.IntegerType, token.BinaryIntegerType, token.OctetIntegerType, token.HexIntegerType,
		token.FloatType, token.InfinityType, token.NanType:
		return true
	}
	return false
}
