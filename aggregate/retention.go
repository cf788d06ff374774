// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"

	"github.com/throngdp/throng/aggregate/internal/scan"
	"github.com/throngdp/throng/anonymize"
)

// maxRetention is a hundred years, in days.
const maxRetention = 36_500

func (p *Policy) validateRetention(f *faults) {
	r := p.Exclude.Retention
	if r == nil {
		return
	}
	const path = "policy.exclude.retention"
	if r.Days < 1 || r.Days > maxRetention {
		f.add(path+".days", fmt.Sprint(r.Days), fmt.Sprintf("1 to %d days", maxRetention), "write how long a record may be used")
	}
	timed := false
	for name, c := range p.Columns {
		if c.Role != TimeRole {
			continue
		}
		timed = true
		if c.As == string(anonymize.AsDayOffset) {
			f.add(path, "times of "+name+" that count days from no date", "a column with role: time that has dates", "leave old records out of the files")
		}
	}
	if !timed {
		f.unset(path, "a column with role: time, by which records are old", "add one to columns")
	}
}

// retention returns what an input's records must not be older than; nil where they may have any age.
func (c *compiled) retention(name InputName, column func(string) int) *scan.Retention {
	r := c.policy.Exclude.Retention
	if r == nil || c.clock == nil || c.clock.column.From != name {
		return nil
	}
	return &scan.Retention{
		Column: column(rawName(c.clock.column, c.clock.name)), Clock: c.clock.clock, From: c.clock.clock.DaysBefore(c.asOf, r.Days),
	}
}
