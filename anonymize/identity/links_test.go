// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize/identity"
)

// pair is a link between two ids, which here are numbers.
type pair [2]int

// tokenOf hashes the number of an id.
func tokenOf(h identity.Hasher, id int) identity.Token {
	hi, lo := h.Distinct128(fmt.Appendf(nil, "id-%d", id))
	return identity.Token{Hi: hi, Lo: lo}
}

// linked returns what pairs make one person.
func linked(t testing.TB, h identity.Hasher, maxIDs int64, pairs []pair) *identity.Links {
	t.Helper()
	l, err := identity.NewLinker(maxIDs)
	require.NoError(t, err)
	for _, p := range pairs {
		require.NoError(t, l.Add(tokenOf(h, p[0]), tokenOf(h, p[1])))
	}
	return l.Links()
}

// resolved returns the tokens that stand for the ids below n.
func resolved(h identity.Hasher, l *identity.Links, n int) []identity.Token {
	var all []identity.Token
	for id := range n {
		all = append(all, l.Resolve(tokenOf(h, id)))
	}
	return all
}

// people counts different tokens among the ids from one number up to another.
func people(h identity.Hasher, l *identity.Links, from, to int) int {
	seen := map[identity.Token]bool{}
	for _, t := range resolved(h, l, to)[from:] {
		seen[t] = true
	}
	return len(seen)
}

func chain(from, to int) (pairs []pair) {
	for i := from; i+1 < to; i++ {
		pairs = append(pairs, pair{i, i + 1})
	}
	return pairs
}

func star(from, to int) (pairs []pair) {
	for i := from + 1; i < to; i++ {
		pairs = append(pairs, pair{from, i})
	}
	return pairs
}

// twinLess orders tokens as the links do.
func twinLess(a, b identity.Token) bool { return a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo }

// twin is what links.md says, written down slowly: a part for each id, and the link that comes first in the
// order of tokens joins first.
func twin(h identity.Hasher, maxIDs, n int, pairs []pair) (stands []identity.Token, cut identity.Cut) {
	join := func(limit int, pairs []pair) (part []int, lost int) {
		part = make([]int, n)
		for i := range part {
			part[i] = i
		}
		for _, p := range pairs {
			a, b := part[p[0]], part[p[1]]
			size := 0
			for _, c := range part {
				if c == a || c == b {
					size++
				}
			}
			for i, c := range part {
				if c == b && size <= limit {
					part[i] = a
				}
			}
		}
		for _, p := range pairs {
			if part[p[0]] != part[p[1]] {
				lost++
			}
		}
		return part, lost
	}
	var sorted []pair
	for _, p := range pairs {
		if twinLess(tokenOf(h, p[1]), tokenOf(h, p[0])) {
			p[0], p[1] = p[1], p[0]
		}
		sorted = append(sorted, p)
	}
	slices.SortFunc(sorted, func(a, b pair) int {
		for i := range a {
			if s, t := tokenOf(h, a[i]), tokenOf(h, b[i]); twinLess(s, t) {
				return -1
			} else if twinLess(t, s) {
				return 1
			}
		}
		return 0
	})
	sorted = slices.Compact(sorted)
	whole, _ := join(n, sorted)
	sizes := map[int]int{}
	for _, c := range whole {
		if sizes[c]++; sizes[c] == maxIDs+1 {
			cut.Components++
		}
	}
	var part []int
	part, cut.Lost = join(maxIDs, sorted)
	for i := range n {
		first := tokenOf(h, i)
		for j := range n {
			if s := tokenOf(h, j); part[j] == part[i] && twinLess(s, first) {
				first = s
			}
		}
		stands = append(stands, first)
	}
	return stands, cut
}

func randomPairs(r *rand.Rand, ids, links int) (pairs []pair) {
	for range links {
		pairs = append(pairs, pair{r.IntN(ids), r.IntN(ids)})
	}
	return pairs
}

func TestLinksAreWhatTheSlowTwinSays(t *testing.T) {
	h := fixedSecret(t).Hasher("links")
	r := rand.New(rand.NewPCG(3, 14))
	for range 300 {
		ids, maxIDs := 1+r.IntN(40), 2+r.IntN(8)
		pairs := randomPairs(r, ids, r.IntN(2*ids))
		l := linked(t, h, int64(maxIDs), pairs)
		want, cut := twin(h, maxIDs, ids, pairs)
		require.Equal(t, want, resolved(h, l, ids), "cap %d, links %v", maxIDs, pairs)
		require.Equal(t, cut, l.Cut(), "cap %d, links %v", maxIDs, pairs)
	}
}

// TestAttackD06LinkedDevicesAreOnePerson links devices in a chain, in a star, in a cycle and each with each.
func TestAttackD06LinkedDevicesAreOnePerson(t *testing.T) {
	h := fixedSecret(t).Hasher("links")
	for _, n := range []int{2, 5, 50} {
		var clique []pair
		for i := range n {
			clique = append(clique, star(i, n)...)
		}
		for shape, pairs := range map[string][]pair{
			"chain": chain(0, n), "star": star(0, n), "cycle": append(chain(0, n), pair{n - 1, 0}), "clique": clique,
		} {
			l := linked(t, h, 50, pairs)
			assert.Equal(t, 1, people(h, l, 0, n), "%s of %d", shape, n)
			assert.Equal(t, 10, people(h, l, n, n+10), "%s of %d: ids without a link are people of their own", shape, n)
			assert.Zero(t, l.Cut(), "%s of %d", shape, n)
		}
	}
}

func TestLinksDoNotDependOnTheOrderOfRows(t *testing.T) {
	h := fixedSecret(t).Hasher("links")
	r := rand.New(rand.NewPCG(1, 5))
	pairs := slices.Concat(chain(0, 300), star(300, 400), randomPairs(r, 1000, 700), randomPairs(r, 2000, 1000))
	want := resolved(h, linked(t, h, 7, pairs), 2000)
	for range 20 {
		again := append(slices.Clone(pairs), pairs[:r.IntN(len(pairs))]...)
		r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		for i := range again {
			if r.IntN(2) == 0 {
				again[i][0], again[i][1] = again[i][1], again[i][0]
			}
		}
		require.Equal(t, want, resolved(h, linked(t, h, 7, again), 2000))
	}
}

// TestCutOfOneComponentMovesNoOther changes one of two components, both above the cap, in every way.
func TestCutOfOneComponentMovesNoOther(t *testing.T) {
	h := fixedSecret(t).Hasher("links")
	const maxIDs, mine, all = 5, 60, 200
	fixed := append(chain(0, mine), star(20, 40)...)
	want := resolved(h, linked(t, h, maxIDs, fixed), mine)
	r := rand.New(rand.NewPCG(9, 2))
	for range 50 {
		var other []pair
		for _, p := range randomPairs(r, all-mine, r.IntN(300)) {
			other = append(other, pair{p[0] + mine, p[1] + mine})
		}
		pairs := append(other, fixed...)
		r.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		require.Equal(t, want, resolved(h, linked(t, h, maxIDs, pairs), mine))
	}
}

func TestNoPersonHasMoreIDsThanTheCap(t *testing.T) {
	h := fixedSecret(t).Hasher("links")
	for _, maxIDs := range []int64{2, 3, 20, identity.MaxLinked} {
		l := linked(t, h, maxIDs, chain(0, 3000))
		ids := map[identity.Token]int64{}
		for _, who := range resolved(h, l, 3000) {
			ids[who]++
		}
		for _, n := range ids {
			assert.LessOrEqual(t, n, maxIDs)
		}
		assert.Equal(t, 1, l.Cut().Components)
		assert.Equal(t, len(ids)-1, l.Cut().Lost, "of a chain, each cut makes one part more")
	}
	whole := linked(t, h, 20, chain(0, 20))
	assert.Equal(t, 1, people(h, whole, 0, 20), "at the cap nothing is cut")
	assert.Zero(t, whole.Cut())
}

// TestRemovingAPersonAndTheirLinks holds links.md to its word: whoever shares no id takes nothing but
// their own unit along, and whoever joined others leaves at most the cap's number of changed units.
func TestRemovingAPersonAndTheirLinks(t *testing.T) {
	h := fixedSecret(t).Hasher("links")
	const maxIDs = 12
	r := rand.New(rand.NewPCG(4, 4))
	for range 200 {
		pairs := randomPairs(r, 60, 30)
		if linked(t, h, maxIDs, pairs).Cut() != (identity.Cut{}) {
			continue // nothing is promised of those who stand in a component above the cap
		}
		person := r.IntN(60)
		left := slices.DeleteFunc(slices.Clone(pairs), func(p pair) bool { return p[0] == person || p[1] == person })
		before, after := units(h, linked(t, h, maxIDs, pairs), -1), units(h, linked(t, h, maxIDs, left), person)
		changed := 0
		for unit := range before {
			if !after[unit] {
				changed++
			}
		}
		for unit := range after {
			if !before[unit] {
				changed++
			}
		}
		assert.LessOrEqual(t, changed, maxIDs)
		if len(left) == len(pairs) {
			assert.Equal(t, 1, changed, "who is linked to nobody")
		}
	}
	hub := star(0, maxIDs)
	assert.Len(t, units(h, linked(t, h, maxIDs, hub), -1), 60-maxIDs+1)
	assert.Len(t, units(h, linked(t, h, maxIDs, nil), 0), 60-1, "one unit went and eleven came: that many is the worst")
}

// units names each person by the sorted list of their ids.
func units(h identity.Hasher, l *identity.Links, without int) map[string]bool {
	ids := map[identity.Token][]int{}
	for id, who := range resolved(h, l, 60) {
		if id != without {
			ids[who] = append(ids[who], id)
		}
	}
	names := map[string]bool{}
	for _, of := range ids {
		names[fmt.Sprint(of)] = true
	}
	return names
}

func TestLinkerRefusesCapsThatMeanNothing(t *testing.T) {
	for _, n := range []int64{-1, 0, 1, identity.MaxLinked + 1} {
		_, err := identity.NewLinker(n)
		assert.EqualError(t, err, fmt.Sprintf("want 2 to 1000 ids, got %d; 20 is a common choice", n))
	}
}

func TestNoLinksChangeNothing(t *testing.T) {
	h := fixedSecret(t).Hasher("links")
	for name, l := range map[string]*identity.Links{"nil": nil, "zero": {}, "none": linked(t, h, 2, nil), "itself": linked(t, h, 2, []pair{{1, 1}})} {
		assert.Equal(t, tokenOf(h, 1), l.Resolve(tokenOf(h, 1)), name)
		hi, lo := []uint64{1, 2}, []uint64{3, 4}
		l.ResolveAll(hi, lo)
		assert.Equal(t, []uint64{1, 2, 3, 4}, append(hi, lo...), name)
		assert.Zero(t, l.Cut(), name)
	}
}

func TestResolvingIsSharedAndDoesNotAllocate(t *testing.T) {
	h := fixedSecret(t).Hasher("links")
	l := linked(t, h, 10, chain(0, 1000))
	want := resolved(h, l, 1100)
	var hi, lo []uint64
	for id := range 1100 {
		token := tokenOf(h, id)
		hi, lo = append(hi, token.Hi), append(lo, token.Lo)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			hi, lo := slices.Clone(hi), slices.Clone(lo)
			l.ResolveAll(hi, lo)
			for i := range hi {
				assert.Equal(t, want[i], identity.Token{Hi: hi[i], Lo: lo[i]})
			}
		})
	}
	wg.Wait()
	assert.Zero(t, testing.AllocsPerRun(10, func() { l.ResolveAll(hi, lo) }))
	assert.Equal(t, "[secret]", fmt.Sprintf("%v", want[0]), "a token is not printed")
}

// BenchmarkLinks resolves ten million links: pairs of ids, and chains of four ids.
func BenchmarkLinks(b *testing.B) {
	const links = 10_000_000
	h := fixedSecret(b).Hasher("links")
	for _, c := range []struct {
		name  string
		link  func(i uint64) (uint64, uint64)
		whole bool
	}{
		{"pairs", func(i uint64) (uint64, uint64) { return 2 * i, 2*i + 1 }, true},
		{"fours", func(i uint64) (uint64, uint64) { return i + i/3, i + i/3 + 1 }, true},
		{"one component above the cap", func(i uint64) (uint64, uint64) { return i, i + 1 }, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				l, err := identity.NewLinker(20)
				require.NoError(b, err)
				var id [16]byte
				token := func(n uint64) identity.Token {
					for i := range 8 {
						id[i] = byte(n >> (8 * i))
					}
					hi, lo := h.Distinct128(id[:])
					return identity.Token{Hi: hi, Lo: lo}
				}
				for i := range uint64(links) {
					x, y := c.link(i)
					if err := l.Add(token(x), token(y)); err != nil {
						b.Fatal(err)
					}
				}
				done := l.Links()
				x, y := c.link(links / 2)
				if s, t := done.Resolve(token(x)), done.Resolve(token(y)); c.whole && s != t {
					b.Fatal("linked ids are two people")
				}
				if whole := done.Cut() == (identity.Cut{}); whole != c.whole {
					b.Fatal("the cap took what it should not, or nothing")
				}
			}
			b.ReportMetric(float64(links)*float64(b.N)/b.Elapsed().Seconds(), "links/s")
		})
	}
}
