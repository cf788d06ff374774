// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/detect"
	"github.com/throngdp/throng/anonymize/generalize"
)

// form is what a value can be. Several hold at once.
type form int

const (
	isNumber form = iota
	isWhole
	isAge
	isYear
	isDay
	isYes
	isNo
	isDate
	isInstant
	isCLF
	isEightDigits
	isUnixS
	isUnixMS
	isUnixUS
	isUnixNS
	isUUID
	isURL
	isPath
	isAgent
	isLong
	isName
	forms
)

// Bounds of what is kept of a column: hashes of the first rows, in inputs that are not wide.
const (
	keepRows    = 20_000
	keepColumns = 200
	cached      = 256
)

// seed makes hashes of values that mean nothing outside this process.
var seed = maphash.MakeSeed()

// column is what is known of a column. It holds counts and hashes, and no value.
type column struct {
	Name string `json:"column"`
	// Type, Missing, Distinct, Looks and Use are words for people; see judge.
	Type     string `json:"type"`
	Missing  string `json:"missing"`
	Distinct string `json:"distinct"`
	Looks    string `json:"looks_like"`
	Use      string `json:"suggested"`
	// Problem says why the column cannot be read.
	Problem string `json:"problem,omitempty"`

	input       aggregate.InputName
	words       []string
	role        role
	as, idKind  string
	rows, valid int64
	forms       [forms]int64
	kinds       [detect.Person + 1]int64
	time        bool // of a timestamp type
	values      sketch
	seen        map[uint64]traits
	keep        bool
	kept        []uint64
}

// traits are the forms of one value, and what it identifies.
type traits struct {
	forms uint32
	kind  detect.Kind
}

func newColumn(input aggregate.InputName, name string) *column {
	return &column{Name: name, input: input, words: words(name), seen: map[uint64]traits{}}
}

// add looks at one cell.
func (c *column) add(v anonymize.Value) {
	c.rows++
	hash := uint64(0)
	if v.Valid {
		hash = c.addValue(v)
	}
	if c.keep && len(c.kept) < keepRows {
		c.kept = append(c.kept, hash)
	}
}

func (c *column) addValue(v anonymize.Value) uint64 {
	var buffer [64]byte
	text := buffer[:0]
	switch v.Kind {
	case anonymize.Bytes:
		text = bytes.TrimSpace(v.Bytes)
	case anonymize.Time:
		c.time = true
		text = strconv.AppendInt(text, v.Int, 10)
	default:
		text, _ = v.AppendText(text)
	}
	if isMissing(text) {
		return 0
	}
	c.valid++
	hash := maphash.Bytes(seed, text)
	c.values.add(hash)
	t, ok := c.seen[hash]
	if !ok {
		t = traitsOf(text)
		if string(text) == c.Name {
			t.forms |= 1 << isName
		}
		if len(c.seen) < cached {
			c.seen[hash] = t
		}
	}
	for f := range forms {
		c.forms[f] += int64(t.forms >> f & 1)
	}
	c.kinds[t.kind]++
	return hash
}

// share reports whether at least percent of the values have a form.
func (c *column) share(f form, percent int64) bool {
	return c.valid > 0 && c.forms[f]*100 >= percent*c.valid
}

// missing are spellings of nothing.
var missing = []string{"", "-", `\n`, "null", "none", "nil", "n/a", "na", "nan", "(not set)", "undefined", "unknown"}

func isMissing(text []byte) bool {
	return len(text) < 12 && slices.Contains(missing, string(bytes.ToLower(text)))
}

// Words that mean yes and no whatever the question is. The drafts use them in place of what the data says. A
// word such as refused is none of them: in a column of opt-outs it could be read either way.
var (
	yesWords = []string{"yes", "y", "true", "t", "1", "on"}
	noWords  = []string{"no", "n", "false", "f", "0", "off"}
)

// clocks read times that are spelled in one way only.
var clocks = func() map[form]generalize.Clock {
	all := map[form]generalize.Clock{}
	for f, as := range map[form]anonymize.As{isDate: anonymize.AsDate, isInstant: anonymize.AsRFC3339, isCLF: anonymize.AsCLF, isEightDigits: anonymize.AsYYYYMMDD} {
		all[f], _ = generalize.NewClock(as, "") // the ways and the zone are known
	}
	return all
}()

// Counts since 1970 from 1990 to 2100, in seconds. Smaller and larger numbers are just numbers.
const firstSecond, lastSecond = 631_152_000, 4_102_444_800

// traitsOf judges a text.
func traitsOf(text []byte) traits {
	var t traits
	set := func(f form, ok bool) {
		if ok {
			t.forms |= 1 << f
		}
	}
	t.kind, _ = detect.KindOf(text)
	v := anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: text}
	n, whole := v.Whole()
	set(isWhole, whole)
	set(isNumber, whole || isDecimal(text))
	if whole {
		set(isAge, n >= 0 && n <= 120)
		set(isYear, n >= 1900 && n <= 2100)
		set(isDay, n >= -5000 && n <= 5000)
		for f, unit := range map[form]int64{isUnixS: 1, isUnixMS: 1e3, isUnixUS: 1e6, isUnixNS: 1e9} {
			set(f, n/unit >= firstSecond && n/unit <= lastSecond)
		}
	}
	for f, clock := range clocks {
		micros, ok := clock.Instant(v)
		set(f, ok && micros/1e6 >= -firstSecond*4 && micros/1e6 <= lastSecond)
	}
	word := strings.ToLower(string(text[:min(len(text), 16)]))
	set(isYes, slices.Contains(yesWords, word))
	set(isNo, slices.Contains(noWords, word))
	set(isUUID, len(text) == 36 && t.kind == detect.DeviceID)
	set(isURL, bytes.Contains(text, []byte("://")))
	set(isPath, text[0] == '/')
	set(isAgent, bytes.HasPrefix(text, []byte("Mozilla/")))
	set(isLong, len(text) > 64 || bytes.Count(text, []byte(" ")) > 5)
	return t
}

// isDecimal reports whether a text is a decimal number.
func isDecimal(text []byte) bool {
	if len(text) > 40 || len(bytes.Trim(text, "+-0123456789.eE")) > 0 {
		return false
	}
	_, err := strconv.ParseFloat(string(text), 64)
	return err == nil
}
