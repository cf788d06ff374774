// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"math"
	"slices"
	"strings"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/dp/mechanism"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// change is one draw whose exact number differs between neighbours.
type change struct {
	site   mechanism.Site
	call   mechanismtest.Call // on the side where it was drawn
	x, y   int64              // without the person, and with them
	amount float64            // |x − y|
}

// changes compares the exact numbers of two neighbours. Where absent is true, what only one side was asked
// for is 0 on the other: nobody is in that group. Otherwise it is left out, as a group below k is.
func changes(before, after []mechanismtest.Call, absent bool) []change {
	one, two := numbers(before), numbers(after)
	// Which nodes of a tree are drawn depends on those above them, so that neighbours differ in that.
	missing := func(c mechanismtest.Call) bool { return absent && !strings.HasPrefix(c.Site.Statistic, "tree_") }
	var all []change
	add := func(c mechanismtest.Call, x, y int64) {
		if x != y {
			all = append(all, change{c.Site, c, x, y, math.Abs(float64(x) - float64(y))})
		}
	}
	for _, c := range before {
		if other, ok := two[c.Site]; ok || missing(c) {
			add(c, c.Input, other)
		}
	}
	for _, c := range after {
		if _, ok := one[c.Site]; !ok && missing(c) {
			add(c, 0, c.Input)
		}
	}
	return all
}

// numbers returns the exact number of every site. That of a choice is how many people the group has.
func numbers(calls []mechanismtest.Call) map[mechanism.Site]int64 {
	all := map[mechanism.Site]int64{}
	for _, c := range calls {
		all[c.Site] = c.Input
	}
	return all
}

// sensitivity holds what one person changed against what the noise is made for: the number of groups,
// the change of each, the sum of all changes and that of their squares.
func sensitivity(check *Check, all []change, who string) {
	type sums struct {
		groups               int64
		total, squares, most float64
		lInf, l1, cells      int64
	}
	by := map[place]*sums{}
	var order []place
	for _, c := range all {
		at := place{c.site.Table, c.site.Statistic}
		s := by[at]
		if s == nil {
			s = &sums{lInf: c.call.LInf, l1: c.call.L1, cells: max(c.call.Cells, c.call.L0)}
			by[at] = s
			order = append(order, at)
		}
		s.groups++
		s.total += c.amount
		s.squares += c.amount * c.amount
		s.most = max(s.most, c.amount)
		s.lInf, s.l1 = min(s.lInf, c.call.LInf), min(s.l1, c.call.L1)
	}
	for _, at := range order {
		s := by[at]
		lInf, l1 := float64(s.lInf), float64(s.l1)
		rest := math.Mod(l1, lInf)
		squares := lInf*(l1-rest) + rest*rest // of as many full groups as there is room for, and one of the rest
		check.require(s.most <= lInf, "%s: %s changes a group by %.0f, the noise is for %d", at, who, s.most, s.lInf)
		check.require(s.groups <= s.cells, "%s: %s changes %d groups, the noise is for %d", at, who, s.groups, s.cells)
		check.require(s.total <= l1, "%s: %s changes groups by %.0f together, the noise is for %d", at, who, s.total, s.l1)
		check.require(s.squares <= squares, "%s: %s changes the sum of squares by %.0f, the noise is for %.0f", at, who, s.squares, squares)
	}
}

// frozen gives recorded draws an answer that depends on the site alone and is far from 0, so that what is
// published of it shows. Every eighth is 0, so that something is hidden.
func frozen(calls []mechanismtest.Call) []mechanismtest.Call {
	all := slices.Clone(calls)
	for i := range all {
		c := &all[i]
		if c.Operation != mechanismtest.AddNoise {
			continue
		}
		h := hashSite(c.Site)
		if c.Output = 0; h%8 != 0 {
			c.Output = int64(math.Ceil(100*c.Scale)) + int64(h%1009)
		}
	}
	return all
}

func hashSite(s mechanism.Site) uint64 {
	h := uint64(1)
	for _, text := range []string{s.Table, s.Statistic, s.Group} {
		for _, b := range []byte(text) {
			h = mix(h ^ uint64(b))
		}
		h = mix(h ^ 0x100)
	}
	return h
}

// questions requires that a neighbour was asked all that was recorded, in that order and with the same
// parameters. It may be asked for more in groups that a choice then hides: whether to show them, and the
// visitors that the choice is made on.
func questions(check *Check, recorded, replayed []mechanismtest.Call, who string) {
	known := map[mechanism.Site]bool{}
	for _, c := range recorded {
		known[c.Site] = true
	}
	hidden := map[[2]string]bool{}
	var again []mechanismtest.Call
	for _, c := range replayed {
		switch {
		case known[c.Site]:
			again = append(again, c)
		case c.Operation != mechanismtest.AddNoise:
			hidden[[2]string{c.Site.Table, c.Site.Group}] = !c.Kept
		}
	}
	for _, c := range replayed {
		if known[c.Site] {
			continue
		}
		ok := hidden[[2]string{c.Site.Table, c.Site.Group}] &&
			(c.Operation != mechanismtest.AddNoise || c.Site.Statistic == string(aggregate.CountVisitors))
		check.require(ok, "%s.%s: with %s there is a draw more, of a group that no choice hides", c.Site.Table, c.Site.Statistic, who)
	}
	if !check.require(len(again) == len(recorded), "with %s there are %d draws fewer", who, len(recorded)-len(again)) {
		return
	}
	for i, c := range recorded {
		a := again[i]
		same := a.Operation == c.Operation && a.Site == c.Site && a.Kind == c.Kind && a.Scale == c.Scale &&
			a.L0 == c.L0 && a.LInf == c.LInf && a.L1 == c.L1 && a.K == c.K
		check.require(same, "%s.%s: with %s the draws have another order or other parameters", c.Site.Table, c.Site.Statistic, who)
	}
}
