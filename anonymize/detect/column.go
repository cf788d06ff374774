// SPDX-License-Identifier: Apache-2.0

package detect

// Share is how many of a column's texts look like something, in coarse steps. The zero value is none.
type Share uint8

// The steps: below 1 %, below 10 %, below half, and more.
const (
	NoneOfThem Share = iota
	Few
	Some
	Many
	Most
)

// String returns "none", "few", "some", "many" or "most".
func (s Share) String() string {
	return [...]string{"none", "few", "some", "many", "most"}[min(s, Most)]
}

// Column adds up what the texts of a column look like. The zero value is ready. It belongs to one
// goroutine. It holds counts and no text.
type Column struct {
	texts int64
	kinds [kinds]int64
}

// Add looks at one text that is not null.
func (c *Column) Add(text []byte) {
	c.texts++
	if k, ok := KindOf(text); ok {
		c.kinds[k]++
	}
}

// Texts is how many were added.
func (c *Column) Texts() int64 { return c.texts }

// Share returns how many of the texts look like a kind.
func (c *Column) Share(k Kind) Share {
	if int(k) >= kinds || k == 0 || c.kinds[k] == 0 {
		return NoneOfThem
	}
	n, all := c.kinds[k], c.texts
	switch {
	case 100*n < all:
		return Few
	case 10*n < all:
		return Some
	case 2*n < all:
		return Many
	}
	return Most
}

// Main returns the kind that most texts look like, and its share; no kind where none looks like any.
func (c *Column) Main() (Kind, Share) {
	best := Kind(0)
	for k := Email; int(k) < kinds; k++ {
		if c.kinds[k] > c.kinds[best] {
			best = k
		}
	}
	return best, c.Share(best)
}
