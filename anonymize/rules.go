// SPDX-License-Identifier: Apache-2.0

package anonymize

import (
	"errors"
	"fmt"
	"strings"
)

// Verdict is what a rule says of one cell. The zero value is Refused: who is not known to be
// allowed is not counted.
type Verdict uint8

// The verdicts.
const (
	Refused Verdict = iota
	Allowed
)

// String returns "refused" or "allowed".
func (v Verdict) String() string {
	if v == Allowed {
		return "allowed"
	}
	return "refused"
}

// Consent allows the listed values of a column and nothing else. The zero value refuses all. It is
// safe for concurrent use.
type Consent struct {
	column string
	words  []string
	allow  map[string]struct{}
	unset  Verdict
}

// NewConsent returns the rule that a column must hold one of the listed values. Values are compared
// without regard to case, to white space at the ends and to invisible characters; see
// [AppendFolded].
func NewConsent(column string, allow ...string) (*Consent, error) {
	c := &Consent{column: column, allow: make(map[string]struct{}, len(allow))}
	var faults []error
	if column == "" {
		faults = append(faults, errors.New("want the name of a column; add it"))
	}
	if len(allow) == 0 {
		faults = append(faults, errors.New("want at least one value that means consent; list them"))
	}
	for _, word := range allow {
		key, ok := AppendFolded(nil, []byte(word))
		if !ok {
			faults = append(faults, fmt.Errorf("want a value of 1 to %d visible bytes, got %q; correct it", MaxText, word))
			continue
		}
		c.words = append(c.words, word)
		c.allow[string(key)] = struct{}{}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return c, nil
}

// AllowUnset returns the rule that allows null as well, which says that nobody has answered.
func (c *Consent) AllowUnset() *Consent {
	with := *c
	with.unset = Allowed
	return &with
}

// Check allows a cell that holds a listed value. Null is refused but after [Consent.AllowUnset], and everything
// else is refused.
func (c *Consent) Check(v Value) Verdict {
	if !v.Valid {
		return c.unset
	}
	var buf [MaxText]byte
	key, ok := v.AppendFolded(buf[:0])
	if !ok {
		return Refused
	}
	if _, listed := c.allow[string(key)]; !listed {
		return Refused
	}
	return Allowed
}

// String says whom the rule leaves out.
func (c *Consent) String() string {
	text := "records of people whose " + c.column + " is not one of " + strings.Join(c.words, ", ")
	if c.unset == Allowed {
		text += ", where it is set"
	}
	return text
}
