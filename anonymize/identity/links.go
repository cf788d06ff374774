// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"cmp"
	"errors"
	"fmt"
)

// Token is a keyed hash of an id: [Hasher.Distinct128] of its canonical bytes. It prints as a fixed text.
type Token struct {
	concealed
	Hi, Lo uint64
}

// compare orders tokens by value.
func (t Token) compare(u Token) int {
	if t.Hi != u.Hi {
		return cmp.Compare(t.Hi, u.Hi)
	}
	return cmp.Compare(t.Lo, u.Lo)
}

// MaxLinked is the largest cap on how many linked ids may be one person's. Whoever has more is a program
// or a shared default, and the weakest promise of links.md grows with the cap.
const MaxLinked = 1000

// Linker collects links: pairs of ids that are one person's. The zero value is not ready; see [NewLinker].
// It must not be used concurrently.
type Linker struct {
	maxIDs uint32
	ids    idTable
	links  chunks[link]
}

// link is a pair of ids by their number in the table.
type link struct{ a, b uint32 }

// NewLinker returns a Linker that makes at most maxIDs ids one person, 2 to [MaxLinked].
func NewLinker(maxIDs int64) (*Linker, error) {
	if maxIDs < 2 || maxIDs > MaxLinked {
		return nil, fmt.Errorf("want 2 to %d ids, got %d; 20 is a common choice", MaxLinked, maxIDs)
	}
	return &Linker{maxIDs: uint32(maxIDs)}, nil
}

// errTooMany is returned where ids cannot be numbered any more. No person's id can bring it about.
var errTooMany = errors.New("got more than 2^31 linked ids or links, want fewer; remove links of people who are not in the records")

// Add says that two ids are one person's. Repeated links, either way round, count once, and an id linked to
// itself says nothing. It returns an error where there are more than 2^31 ids or links.
func (l *Linker) Add(a, b Token) error {
	if a == b {
		return nil
	}
	if l.ids.len() >= maxNodes-2 || l.links.n >= maxNodes {
		return errTooMany
	}
	l.links.add(link{l.ids.number(a), l.ids.number(b)})
	return nil
}

// Links returns what the links added so far make one person, and leaves the Linker empty.
func (l *Linker) Links() *Links {
	f := newForest(l.ids.len())
	for i := range l.links.n {
		e := l.links.at(i)
		f.join(e.a, e.b)
	}
	cut := l.cut(f)
	first := f.first(&l.ids.tokens)
	done := &Links{ids: l.ids, first: first, cut: cut}
	*l = Linker{maxIDs: l.maxIDs}
	return done
}

// Links says which ids are one person's: those of a connected component of the links, or of a part of one
// that was above the cap (links.md). The zero value and nil link nothing. It is read-only, and safe for
// concurrent use.
type Links struct {
	ids idTable
	// first is the number of the smallest token of each id's component.
	first []uint32
	cut   Cut
}

// Cut says what the cap took. The numbers are raw: they are for whoever holds the links, and must not be
// published.
type Cut struct {
	// Components had more ids than the cap; Lost is how many different links between their parts were cut.
	Components, Lost int
}

// Cut returns what the cap took from the links.
func (l *Links) Cut() Cut {
	if l == nil {
		return Cut{}
	}
	return l.cut
}

// Resolve returns the token that stands for the person whose id has token t: the smallest of all of them,
// or t itself where nothing is linked to it. It does not allocate.
func (l *Links) Resolve(t Token) Token {
	if l == nil {
		return t
	}
	if n, ok := l.ids.find(t); ok {
		return *l.ids.tokens.at(int(l.first[n]))
	}
	return t
}

// ResolveAll puts in place of the tokens whose halves are hi and lo those that stand for their people.
func (l *Links) ResolveAll(hi, lo []uint64) {
	if l == nil || l.ids.len() == 0 {
		return
	}
	lo = lo[:len(hi)]
	for i := range hi {
		t := l.Resolve(Token{Hi: hi[i], Lo: lo[i]})
		hi[i], lo[i] = t.Hi, t.Lo
	}
}
