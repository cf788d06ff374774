// SPDX-License-Identifier: Apache-2.0

package generalize_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
)

func lookup(t testing.TB, s generalize.LookupSpec) *generalize.Lookup {
	t.Helper()
	l, err := generalize.NewLookup(s)
	require.NoError(t, err)
	return l
}

func TestHierarchiesGiveLevels(t *testing.T) {
	const table = "\ufeffRock;Music;Arts\nJazz; Music ;Arts\n\"Chess; rapid\";Games;Leisure\nNone;;Leisure\n1;One;Leisure\n"
	for level, want := range map[int64]map[string]string{
		1: {"Rock": "Music", "rock": "Music", "JAZZ ": "Music", "Chess; rapid": "Games", "None": "rest", "1.0": "One", "Pop": "rest", "": "rest", "\ufeffRock": "Music"},
		2: {"Rock": "Arts", "None": "Leisure", "Pop": "rest"},
	} {
		table := lookup(t, generalize.LookupSpec{Table: table, By: generalize.ByValue, Level: level})
		for in, label := range want {
			assert.Equal(t, label, labelOf(t, generalize.Spec{Lookup: table, Otherwise: "rest"}, in), "%q", in)
		}
	}
	l := labeler(t, generalize.Spec{Lookup: lookup(t, generalize.LookupSpec{Table: table, By: generalize.ByValue, Level: 1})})
	assert.Equal(t, []string{"Games", "Music", "One", "unknown"}, l.Labels(), "the list is closed")
	got, known := l.Label(nil, integer(1))
	assert.Equal(t, "One", string(got))
	assert.True(t, known)
	_, known = l.Label(nil, text("None"))
	assert.False(t, known, "what a table says nothing about has no vote")
}

func TestTheLongestPrefixWins(t *testing.T) {
	carriers := lookup(t, generalize.LookupSpec{Table: "+49,fixed line\n+49 15,mobile\n+4915-1,Carrier A\n+1,elsewhere\n", By: generalize.ByPrefix, Level: 1, As: anonymize.AsPhone})
	spec := generalize.Spec{As: anonymize.AsPhone, Lookup: carriers}
	for in, want := range map[string]string{
		"+49 151 2345678": "Carrier A", "0049 (0)151 2345678": "Carrier A", "+49 152 2345678": "mobile", "+49 30 901820": "fixed line",
		"+1 212 555 2671": "elsewhere", "+33 1 40205050": "unknown", "0151 2345678": "unknown", "+4915": "unknown", "Carrier A": "unknown",
	} {
		assert.Equal(t, want, labelOf(t, spec, in), in)
	}
	regions := lookup(t, generalize.LookupSpec{Table: "SW;London\nsw1a 2;Whitehall\nK1-A;Ottawa\n", By: generalize.ByPrefix, Level: 1})
	for in, want := range map[string]string{"SW1A 2AA": "Whitehall", "sw1a-1aa": "London", "k1a": "Ottawa", "K1": "unknown", "": "unknown"} {
		assert.Equal(t, want, labelOf(t, generalize.Spec{Lookup: regions}, in), in)
	}
	_, known := labeler(t, generalize.Spec{Lookup: regions}).Label(nil, integer(1))
	assert.False(t, known)
}

func TestTheSmallestNetworkWins(t *testing.T) {
	countries := lookup(t, generalize.LookupSpec{
		Table: "198.0.0.0/8,US\n198.51.100.0/24,DE\n198.51.100.7,FR\n2001:db8::/32,NL\n::ffff:203.0.113.0/120,SE\n2001:db8:0:1::/64,\n10.1.2.3/8,private\n",
		By:    generalize.ByNetwork, Level: 1,
	})
	for in, want := range map[string]string{
		"198.1.1.1": "US", "198.51.100.1": "DE", "198.51.100.7": "FR", "::ffff:198.51.100.7": "FR", "198.51.100.7:80": "FR",
		"2001:db8:5::1": "NL", "[2001:db8:5::1]:443": "NL", "2001:db8:0:1::5": "unknown", "203.0.113.9": "SE", "10.200.0.1": "private",
		"203.0.114.9": "unknown", "::1": "unknown", "198.51.100.0/24": "unknown", "host": "unknown", "": "unknown",
	} {
		assert.Equal(t, want, labelOf(t, generalize.Spec{Lookup: countries}, in), in)
	}
}

func TestFaultsOfLookupsNameTheLine(t *testing.T) {
	value := func(table string) generalize.LookupSpec {
		return generalize.LookupSpec{Table: table, By: generalize.ByValue, Level: 1}
	}
	for _, c := range []struct {
		spec generalize.LookupSpec
		want string
	}{
		{value(""), "want a table of at least one line; write key;label"},
		{value("canary;a\ncanary\n"), "line 2: want a key and 1 levels; complete the line"},
		{value("canary;a\n\ncanary;b\n"), "line 3: want one label for a key, and the key stands in an earlier line with another; drop one"},
		{value("canary;a\n\u200b;canary"), "line 2: want a value of 1 to 256 visible bytes in UTF-8; correct it"},
		{value("canary;\"a\ncanary\nb\";c\ncanary;\xff"), "line 4: want a label of at most 256 bytes in UTF-8; correct it"},
		{value("canary;a\"b"), "line 1: want fields whose quotes are closed and doubled inside; correct it"},
		{value("canary;\"ab"), "line 1: want fields whose quotes are closed and doubled inside; correct it"},
		{generalize.LookupSpec{Table: "canary,a", By: generalize.ByNetwork, Level: 1}, "line 1: want a network such as 198.51.100.0/24, or an address (a table has no header line); correct it"},
		{generalize.LookupSpec{Table: "1.2.3.4/33,a", By: generalize.ByNetwork, Level: 1}, "line 1: want a network such as 198.51.100.0/24, or an address (a table has no header line); correct it"},
		{generalize.LookupSpec{Table: "4915,canary", By: generalize.ByPrefix, Level: 1, As: anonymize.AsPhone}, "line 1: want a plus sign and digits; write the prefix with its country code"},
		{generalize.LookupSpec{Table: "- -,canary", By: generalize.ByPrefix, Level: 1}, "line 1: want a prefix of 1 to 256 visible bytes in UTF-8; correct it"},
		{generalize.LookupSpec{Table: "canary;a", By: "suffix", Level: 1}, "want one of value, prefix, network as the comparison, got \"suffix\"; choose one"},
		{generalize.LookupSpec{Table: "canary;a", By: generalize.ByValue}, "want a level of 1 to 64, got 0; correct it"},
		{generalize.LookupSpec{Table: "canary;a", By: generalize.ByValue, Level: 2}, "line 1: want a key and 2 levels; complete the line"},
	} {
		_, err := generalize.NewLookup(c.spec)
		assert.EqualError(t, err, c.want)
		assert.NotContains(t, err.Error(), "canary", "a fault never holds what a line says")
	}
	_, err := generalize.NewLookup(value(strings.Repeat("canary\n", 100)))
	assert.Equal(t, 10, strings.Count(err.Error(), "line "), "the first faults are enough")
	var line *generalize.LineError
	require.True(t, errors.As(err, &line))
	assert.Equal(t, 1, line.Line)

	var many strings.Builder
	for i := range 1<<16 + 1 {
		fmt.Fprintf(&many, "%d;%d\n", i, i)
	}
	_, err = generalize.NewLookup(value(many.String()))
	assert.EqualError(t, err, "want at most 65536 different labels; choose a coarser level")
	_, err = generalize.NewLookup(value(strings.Repeat("a;b\n", 1<<20+1)))
	assert.EqualError(t, err, "want at most 1048576 lines; leave out what is not needed")
}

func TestLookupsFitTheirReading(t *testing.T) {
	networks := lookup(t, generalize.LookupSpec{Table: "1.0.0.0/8;a", By: generalize.ByNetwork, Level: 1})
	values := lookup(t, generalize.LookupSpec{Table: "+49;a", By: generalize.ByValue, Level: 1})
	for want, s := range map[string]generalize.Spec{
		"want no reading before a lookup by network, got \"ip_network\"; remove it":         {As: anonymize.AsIPNetwork, Lookup: networks},
		"want a lookup by prefix for as: phone; add it, or write as: phone_country":         {As: anonymize.AsPhone, Lookup: values},
		"want only one of values, lookup, bands and grain; remove the others":               {Values: map[string]string{"a": "b"}, Lookup: values},
		"want \"a\" among the groups, since cells can get this label; add it":               {Lookup: values, Groups: []string{"unknown"}},
		"want a lookup by prefix for as: phone; add it, or write as: phone_country\x00":     {As: anonymize.AsPhone},
		"want a length of 1 to 64 characters for a prefix, got 0; correct it":               {As: anonymize.AsPrefix, Lookup: values},
		"want a label of 1 to 256 bytes without invisible characters or spaces at its ends": {Otherwise: " ", Lookup: values},
	} {
		_, err := generalize.NewLabeler(s)
		assert.ErrorContains(t, err, strings.TrimSuffix(want, "\x00"))
	}
	assert.Equal(t, "a", labelOf(t, generalize.Spec{As: anonymize.AsPhoneCountry, Lookup: values}, "+49 30 901820"))
}

func FuzzLookup(f *testing.F) {
	f.Add("a;b\nc;d", "a", uint8(0))
	f.Add("+49,x\n+4915,y", "+49 151 2345", uint8(1))
	f.Add("1.0.0.0/8,x\n::/0,y", "::ffff:1.2.3.4", uint8(2))
	f.Add("\"a;\";\n\u200b;b", "\xff", uint8(0))
	f.Fuzz(func(t *testing.T, table, in string, by uint8) {
		spec := generalize.LookupSpec{Table: table, By: []generalize.By{generalize.ByValue, generalize.ByPrefix, generalize.ByNetwork}[by%3], Level: 1}
		found, err := generalize.NewLookup(spec)
		if err != nil {
			return
		}
		l, err := generalize.NewLabeler(generalize.Spec{Lookup: found})
		require.NoError(t, err)
		label, _ := l.Label(nil, text(in))
		assert.Contains(t, append(l.Labels(), "unknown"), string(label))
	})
}
