// SPDX-License-Identifier: Apache-2.0

package strictyaml_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/strictyaml"
)

// hangLimit is a watchdog against hangs, far above the 100 ms that a file may take on a quiet machine.
const hangLimit = 20 * time.Second

// text renders faults as a caller does.
func text(faults []strictyaml.Fault) string {
	lines := make([]string, len(faults))
	for i, f := range faults {
		lines[i] = fmt.Sprintf("%d:%d %s: got %s, want %s; %s", f.Line, f.Column, f.Path, f.Got, f.Want, f.Fix)
	}
	return strings.Join(lines, "\n")
}

// parse calls Parse under the watchdog.
func parse(t *testing.T, src string) (*strictyaml.Node, []strictyaml.Fault) {
	t.Helper()
	type result struct {
		node   *strictyaml.Node
		faults []strictyaml.Fault
	}
	done := make(chan result, 1)
	go func() {
		node, faults := strictyaml.Parse([]byte(src))
		done <- result{node, faults}
	}()
	select {
	case r := <-done:
		return r.node, r.faults
	case <-time.After(hangLimit):
		require.Fail(t, "Parse hangs")
		return nil, nil
	}
}

func mustParse(t *testing.T, src string) *strictyaml.Node {
	t.Helper()
	node, faults := parse(t, src)
	require.Empty(t, text(faults))
	require.NotNil(t, node)
	return node
}

func TestAttackI06SpecBombsAndUnusedFeatures(t *testing.T) {
	laughs := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'i'; c++ {
		laughs += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat("*"+string(c-1)+", ", 9), ", "))
	}
	const plainValues = "want plain values; write the value out where it is used, or quote the text"
	tests := []struct{ name, in, want string }{
		{"nine laughs of nine aliases", laughs, "1:4 : got an anchor (&), " + plainValues},
		{"alias", "a: *b", "1:4 : got an alias (*), " + plainValues},
		{"CVE-2022-28948", "0: [:!00 \xef", "1:10 : got bytes that are not UTF-8, want UTF-8 text; save the file as UTF-8"},
		{"100,000 brackets", strings.Repeat("[", 100_000), "0:0 : got 100000 bytes, want at most 65536; shorten the file: long lists of values belong in a file of their own"},
		{"65,536 brackets", strings.Repeat("[", 65_536), "0:0 : got 65536 tokens, want at most 4096; shorten the file: long lists of values belong in a file of their own"},
		{"4,000 brackets", strings.Repeat("[", 4_000), "1:33 : got deeper nesting, want at most 32 levels; flatten the file"},
		{"braces", strings.Repeat("{a: ", 33), "1:129 : got deeper nesting, want at most 32 levels; flatten the file"},
		{"dashes", strings.Repeat("- ", 33) + "x", "1:65 : got deeper nesting, want at most 32 levels; flatten the file"},
		{"staircase", staircase(33), "33:34 : got deeper nesting, want at most 32 levels; flatten the file"},
		{"doubled key", "a: 1\nb: {c: 1, d: 2, c: 3}\na: 2\n",
			"2:17 b.c: got a second \"c\" (the first is on line 2), want each key once; remove one\n" +
				"3:1 a: got a second \"a\" (the first is on line 1), want each key once; remove one"},
		{"doubled key in other quotes", "epsilon: 1\n\"epsilon\": 9\n", "2:1 epsilon: got a second \"epsilon\" (the first is on line 1), want each key once; remove one"},
		{"self merge", "a: &a\n  <<: *a\n", "1:4 : got an anchor (&), " + plainValues + "\n" +
			"2:3 : got a merge key (<<), want plain keys; write the keys out where they are used\n" +
			"2:7 : got an alias (*), " + plainValues},
		{"three documents", "a: 1\n---\nb: 2\n---\nc: 3\n",
			"2:1 : got a second document (---), want one document; put it into a file of its own\n" +
				"4:1 : got a second document (---), want one document; put it into a file of its own"},
		{"end of document", "a: 1\n...\n", "2:1 : got an end of document (...), want one document; remove the line"},
		{"directive", "%YAML 1.2\n---\na: 1\n",
			"1:1 : got a directive (%), want plain values; remove the line, or quote the text\n" +
				"2:1 : got a second document (---), want one document; put it into a file of its own"},
		{"tag", "a: !!float 1\n", "1:4 : got a tag (!), want plain values; remove the tag, or quote the text"},
		{"complex key", "? a\n: b\n", "1:1 : got a complex key (?), want plain keys; write \"key: value\""},
		{"numeric key", "0: x\n", "1:1 [\"0\"]: got the key \"0\", which is not text to YAML, want a key that is text; write it as \"0\", with the quotes"},
		{"boolean key", "a: {true: x}\n", "1:5 a.true: got the key \"true\", which is not text to YAML, want a key that is text; write it as \"true\", with the quotes"},
		{"null key", "~: x\n", "1:1 [\"~\"]: got the key \"~\", which is not text to YAML, want a key that is text; write it as \"~\", with the quotes"},
		{"long key", strings.Repeat("k", 129) + ": x\n", "1:1 : got the key \"" + strings.Repeat("k", 40) + "…\", want at most 128 bytes; shorten it"},
		{"tabs", "a:\n\tb: 1\n\tc: 1\n", "2:1 : got a tab character, want spaces; use spaces, or \"\\t\" in double quotes"},
		{"NUL", "a: x\x00\n", "1:5 : got a NUL character, want text; save the file as UTF-8 without NUL characters"},
		{"bidi override", "a: \u202ex\n", "1:4 : got a character that cannot be seen (U+202E), want text that reads as it is stored; remove it, or write \"\\u202E\" in double quotes"},
		{"bare CR", "a: 1\rb: 2\n", "1:5 : got a carriage return alone, want lines that end in LF or CR LF; save the file with Unix line ends"},
		{"escape of no character", `a: "\xZZ"`, "1:4 : got the escape \"\\\\x\", want \\\", \\\\, \\/, \\n, \\t, \\xHH, \\uHHHH or \\UHHHHHHHH; correct the escape"},
		{"escape of half a pair", `a: "\ud83d\ude00"`, "1:4 : got the escape \"\\\\u\", want \\\", \\\\, \\/, \\n, \\t, \\xHH, \\uHHHH or \\UHHHHHHHH; correct the escape"},
		{"escaped NUL", `a: "\x00"`, "1:4 : got a control character in quotes, want text; remove it"},
		{"open bracket", "a: [1, 2\n", "1:4 : got text that is not YAML (sequence end token ']' not found), want YAML; correct it, or quote the text"},
		{"two values", "a: b: c\n", "1:4 : got text that is not YAML (mapping value is not allowed in this context), want YAML; correct it, or quote the text"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			node, faults := parse(t, tc.in)
			assert.Nil(t, node)
			got := text(faults)
			if tc.name == "nine laughs of nine aliases" {
				assert.Len(t, faults, 9+8*9, "every anchor and alias is reported")
				got, _, _ = strings.Cut(got, "\n")
			}
			assert.Equal(t, tc.want, got)
		})
	}
}

// staircase nests mappings one column deeper on each line.
func staircase(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "k:\n")
	}
	return b.String()
}

// TestAttackI06SlowShapes runs the shapes on which the lexer or the parser is known to be slow, each at
// the size limit, to the end.
func TestAttackI06SlowShapes(t *testing.T) {
	full := func(s string) string { return strings.Repeat(s, strictyaml.MaxBytes/len(s)) }
	for _, src := range []string{
		full("]"), full("{a: "), full("- "), full("-\n"), full("a: "), full("? "), full("---\n"), full("|\n"),
		full(">-\n"), full("@"), full("'"), full(`"`), full(`"\x"`), full("&a "), full("*a "), full("!a "),
		full("#\n"), full("<"), full(strings.Repeat("<", 64) + "\n"), full("a - b\n"), "[" + full(",")[1:],
		"a: |\n  b" + full("\n")[8:], "a: |\n" + full("  x\n")[8:], `"` + full("\t")[1:],
		"a: |\n  " + strings.Repeat("x", 60_000) + strings.Repeat("\n", 60) + "b: c\n",
		numbered("k%d:\n", 2_000), numbered("k%d: v\n", 1_300), "a:\n" + numbered("- %d\n", 2_000),
	} {
		start := time.Now()
		_, _ = parse(t, src)
		if d := time.Since(start); d > 100*time.Millisecond {
			t.Logf("%.12q… took %v", src, d)
		}
	}
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestAttackI06HostileNumbers(t *testing.T) {
	for _, value := range []string{".nan", ".NaN", ".inf", "-.inf", "1e400", "0x1", "0o7", "0b1", "1_0", "-0", "-0.0", "-0e1", "+1", "1.", ".5", "1e", "Infinity", "NaN", "", "1 2", strings.Repeat("9", 41)} {
		for _, quoted := range []string{value, `"` + value + `"`} {
			if quoted == "" {
				continue
			}
			t.Run(quoted, func(t *testing.T) {
				b := strictyaml.NewBinder("release")
				dst := "untouched"
				b.Decimal(mustParse(t, "epsilon: "+quoted).Get("epsilon"), "epsilon", &dst)
				assert.Equal(t, "untouched", dst)
				shown := value
				if len(shown) > 40 {
					shown = shown[:40] + "…"
				}
				got := fmt.Sprintf("%q", shown)
				if quoted != value {
					got = "the quoted text " + got
				}
				assert.Equal(t, "1:10 release.epsilon: got "+got+", want a plain decimal number such as 0.5 or 1e-9; write it in digits", text(b.Faults()))
			})
		}
	}
	for _, value := range []string{"1", "0.5", "1e-9", "2E+3", "-3", "-0.25", "0", "0.0", `"4"`, "'1e-8'"} {
		b := strictyaml.NewBinder("release")
		var dst string
		b.Decimal(mustParse(t, "epsilon: "+value).Get("epsilon"), "epsilon", &dst)
		assert.Empty(t, text(b.Faults()))
		assert.Equal(t, strings.Trim(value, `"'`), dst, "the text is kept to the letter")
	}
}
