// SPDX-License-Identifier: Apache-2.0

package gen_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/examples/gendata/gen"
)

func generator(t *testing.T, c gen.Config) *gen.Generator {
	g, err := gen.New(c)
	require.NoError(t, err)
	return g
}

func TestTheSameConfigYieldsTheSameRecords(t *testing.T) {
	c := gen.Config{Rows: 2000, People: 300, Seed: 7}
	a, b := generator(t, c), generator(t, c)
	assert.Equal(t, slices.Collect(a.Usage()), slices.Collect(b.Usage()))
	assert.Equal(t, slices.Collect(a.Usage()), slices.Collect(a.Usage()), "each sequence starts anew")
	assert.Equal(t, slices.Collect(a.Visitors()), slices.Collect(b.Visitors()))
	c.Seed = 8
	assert.NotEqual(t, slices.Collect(a.Usage()), slices.Collect(generator(t, c).Usage()))
}

// The seed is fixed, so these tests are as certain as the generator.
func TestVisitorsHaveTheFaultsOfRealOnes(t *testing.T) {
	seen := map[string]int{}
	genders := map[string]map[string]bool{}
	for v := range generator(t, gen.Config{People: 10_000, Seed: 1}).Visitors() {
		seen["gender "+v.Gender]++
		seen["consent "+v.ShareOK]++
		switch {
		case v.BirthYear == "":
			seen["no year"]++
		case v.BirthYear == "1900":
			seen["filler"]++
		case strings.HasSuffix(v.BirthYear, ".0"):
			seen["float"]++
		case v.BirthYear > "2013":
			seen["child, parents "+v.ParentalConsent]++
		}
		if v.BirthYear < "2014" {
			assert.Empty(t, v.ParentalConsent)
		}
		assert.Regexp(t, `^\+[0-9]{8,15}$`, v.Phone)
		assert.Regexp(t, `^[a-z.]+[0-9]+@example\.(com|org|net)$`, v.Email)
		assert.True(t, v.CreatedAt.Before(time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)))
		if genders[v.ID] == nil {
			genders[v.ID] = map[string]bool{}
		}
		assert.False(t, genders[v.ID][v.Gender], "a second registration has another gender")
		genders[v.ID][v.Gender] = true
		if len(genders[v.ID]) == 2 {
			seen["twice"]++
		}
	}
	for _, want := range []string{"gender F", "gender M", "gender female", "gender male", "gender X", "gender ",
		`gender \N`, "consent yes", "consent no", "consent ", "no year", "filler", "float",
		"child, parents yes", "child, parents no", "child, parents ", "twice"} {
		assert.Greater(t, seen[want], 20, want)
	}
	assert.Less(t, len(genders), 10_000, "some people are not registered")
	assert.Greater(t, len(genders), 9_000)
}

func TestUsageHasTheFaultsOfRealLogs(t *testing.T) {
	seen := map[string]int{}
	perPerson := map[int]int{}
	paths := map[string]int{}
	from, to := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC)
	for u := range generator(t, gen.Config{Rows: 100_000, People: 10_000, Seed: 1}).Usage() {
		perPerson[u.Person]++
		paths[u.Page]++
		seen["device "+u.Device]++
		assert.Contains(t, gen.Sections, u.Section)
		for name, is := range map[string]bool{
			"no id": u.ID == "", "id 0": u.ID == "0", "zero uuid": u.ID == "00000000-0000-0000-0000-000000000000",
			"before": u.VisitedAt.Before(from), "after": !u.VisitedAt.Before(to),
			"address in path": strings.Contains(u.Page, "@"), "address in referrer": strings.Contains(u.Referrer, "@"),
			"negative": strings.HasPrefix(u.Seconds, "-"), "huge": len(u.Seconds) >= 10, "not a number": u.Seconds == "n/a",
			"no seconds": u.Seconds == "", "bought": u.AmountCents > 0, "IPv6": strings.Contains(u.IP, ":"),
		} {
			if is {
				seen[name]++
			}
		}
		if u.ID == "" || u.ID == "0" {
			assert.Equal(t, -1, u.Person)
		}
	}
	for _, want := range []string{"device mobile", "device desktop", "device tablet", "no id", "id 0", "zero uuid",
		"before", "after", "address in path", "address in referrer", "negative", "huge", "not a number", "no seconds",
		"bought", "IPv6"} {
		assert.Greater(t, seen[want], 20, want)
		assert.Less(t, seen[want], 70_000, want)
	}
	delete(perPerson, -1)
	var counts []int
	for _, n := range perPerson {
		counts = append(counts, n)
	}
	slices.Sort(counts)
	assert.LessOrEqual(t, counts[len(counts)/2], 8, "the median person does little")
	assert.Greater(t, counts[len(counts)-1], 500, "the tail is long")
	assert.Greater(t, len(paths), 1500)
}

func TestIDsHaveTheFormAskedFor(t *testing.T) {
	for form, pattern := range map[gen.IDs]string{
		gen.Hex: `^[0-9a-f]{16}$`, gen.UUID: `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
		gen.Int: `^[0-9]{1,19}$`, gen.Email: `^[A-Za-z.]+[0-9]+@example\.(com|org|net)$`,
	} {
		g := generator(t, gen.Config{Rows: 1000, People: 200, Seed: 3, IDs: form})
		match := regexp.MustCompile(pattern)
		known := map[string]bool{}
		for i := range 200 {
			v := g.VisitorOf(i)
			assert.Regexp(t, match, v.ID)
			known[strings.ToLower(v.ID)] = true
		}
		assert.Len(t, known, 200, "ids are distinct")
		for u := range g.Usage() {
			if u.Person >= 0 {
				assert.Equal(t, strings.ToLower(u.ID), g.VisitorOf(u.Person).ID)
			}
		}
	}
}

func TestVisitorOfIsTheRegistration(t *testing.T) {
	g := generator(t, gen.Config{People: 50, Seed: 5})
	byID := map[string]gen.Visitor{}
	for i := range 50 {
		v := g.VisitorOf(i)
		byID[v.ID] = v
	}
	seen := map[string]bool{}
	for v := range g.Visitors() {
		if !seen[v.ID] {
			assert.Equal(t, byID[v.ID], v)
		}
		seen[v.ID] = true
	}
}
