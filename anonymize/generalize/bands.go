// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/internal/scalar"
)

// maxAge is the oldest age that a band can name; see [anonymize.As.Age].
const maxAge = 120

// maxBands bounds the edges of a dimension. More bands than this are a number, not a group.
const maxBands = 1000

// Bands cuts numbers into bands at the given edges, each the lowest whole number of its band. It is
// safe for concurrent use.
type Bands struct {
	edges  []int64
	as     anonymize.As
	on     anonymize.Date
	labels []string // labels[0] is below the first edge
}

// NewBands returns the bands between edges, which must rise. With an age reading the number is the
// age in completed years: as stated, or on the reference date for a year or date of birth. Without
// one it is the number itself, cut to the whole number below.
func NewBands(edges []int64, as anonymize.As, reference anonymize.Date) (*Bands, error) {
	var faults []error
	if len(edges) == 0 || len(edges) > maxBands {
		faults = append(faults, fmt.Errorf("want 1 to %d bands, got %d; correct the list", maxBands, len(edges)))
	}
	for i := 1; i < len(edges); i++ {
		if edges[i] <= edges[i-1] {
			faults = append(faults, fmt.Errorf("want bands in rising order, got %d after %d; sort them and drop doubles", edges[i], edges[i-1]))
		}
	}
	faults = append(faults, checkReading(edges, as, reference))
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	b := &Bands{edges: append([]int64(nil), edges...), as: as, on: reference}
	b.labels = append(b.labels, "under "+strconv.FormatInt(edges[0], 10))
	for i, low := range edges {
		b.labels = append(b.labels, bandLabel(low, edges[i+1:]))
	}
	return b, nil
}

func checkReading(edges []int64, as anonymize.As, reference anonymize.Date) error {
	var faults []error
	switch {
	case as == "":
	case !as.IsAge():
		faults = append(faults, fmt.Errorf("want age, birth_year, birth_date or nothing as the reading of bands, got %q; choose one", string(as)))
	default:
		if as != anonymize.AsAge && !reference.IsValid() {
			faults = append(faults, errors.New("want a reference date to tell ages from births; add it"))
		}
		for _, edge := range edges {
			if edge < 0 || edge > maxAge {
				faults = append(faults, fmt.Errorf("want ages of 0 to %d in bands, got %d; correct it", maxAge, edge))
			}
		}
	}
	return errors.Join(faults...)
}

// bandLabel returns the label of the band from low to the first of the higher edges.
func bandLabel(low int64, higher []int64) string {
	if len(higher) == 0 {
		return strconv.FormatInt(low, 10) + "+"
	}
	high := higher[0] - 1
	switch {
	case high == low:
		return strconv.FormatInt(low, 10)
	case low < 0: // a hyphen would read as another sign
		return fmt.Sprintf("%d to %d", low, high)
	}
	return fmt.Sprintf("%d-%d", low, high)
}

// Labels lists the labels that Label can return, lowest band first.
func (b *Bands) Labels() []string {
	labels := b.labels
	if b.as != "" && b.edges[0] == 0 {
		labels = labels[1:] // nobody is under 0
	}
	return append([]string(nil), labels...)
}

// Label returns the label of the band that a cell falls into, and false where it holds no number, or
// for ages where the age is not a whole number from 0 to 120.
func (b *Bands) Label(v anonymize.Value) (string, bool) {
	n, ok := b.number(v)
	if !ok {
		return "", false
	}
	i := 0
	for i < len(b.edges) && n >= b.edges[i] {
		i++
	}
	return b.labels[i], true
}

func (b *Bands) number(v anonymize.Value) (int64, bool) {
	if b.as != "" {
		return b.as.Age(v, b.on)
	}
	if !v.Valid || v.Kind == anonymize.Bool {
		return 0, false
	}
	d, ok := decimalOf(v)
	if !ok {
		return 0, false
	}
	n, _ := d.Quanta(scalar.One, scalar.Floor)
	return n, true
}
