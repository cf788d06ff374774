// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/anonymize"
)

// read returns cells of which a way of reading leaves different groups, nil where it takes none of its own.
func read(as anonymize.As, col aggregate.Column) []string {
	cells := map[anonymize.As]string{
		anonymize.AsRegistrableDomain: "https://www.group%d.example/page",
		anonymize.AsPrefix:            fmt.Sprintf("%%0%dd-rest", max(1, col.Length)),
		anonymize.AsPhoneCountry:      "+3%d 151 234567",
		anonymize.AsPhoneArea:         "+1 21%d 555 2671",
		anonymize.AsIPNetwork:         "%d.0.2.1",
	}
	spelling, ok := cells[as]
	if !ok || len(col.Groups.Declared) > 0 {
		return nil
	}
	var all []string
	for i := range privateGroups {
		if as == anonymize.AsIPNetwork || as == anonymize.AsPhoneArea {
			i += 2 // what begins with 0 or 1 is none
		}
		all = append(all, fmt.Sprintf(spelling, i))
	}
	return all
}
