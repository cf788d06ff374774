// SPDX-License-Identifier: Apache-2.0

package dp

// Neighboring names the relation between two inputs that a guarantee makes hard to tell apart.
type Neighboring string

// AddRemove: one input has all records of one privacy unit, the other has none of them. It is the
// only relation throng offers.
const AddRemove Neighboring = "add or remove all records of one privacy unit"

// ContributionBounds limit what one privacy unit may add to one table. The zero value bounds
// nothing and is refused wherever a bound is needed.
type ContributionBounds struct {
	// MaxPartitions is the most groups of a table that one unit may count in: the l0 sensitivity.
	MaxPartitions int64
	// MaxPerPartition is the most records of one unit that count in one group.
	MaxPerPartition int64
	// MaxContributions is the most records of one unit that count in all groups of the table together: the l1
	// sensitivity of a number of records. With 0 that is the product of the other two.
	MaxContributions int64
}

// Clamp is a closed interval of integers (in quanta of the value's resolution) into which values
// are clamped.
type Clamp struct{ Lower, Upper int64 }

// MaxAbs returns max(|Lower|, |Upper|), the largest magnitude of a clamped value.
func (c Clamp) MaxAbs() int64 { return max(c.Upper, -c.Upper, c.Lower, -c.Lower) }
