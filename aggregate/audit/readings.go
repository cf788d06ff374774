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
	}
	spelling, ok := cells[as]
	if !ok || len(col.Groups.Declared) > 0 {
		return nil
	}
	var all []string
	for i := range privateGroups {
		all = append(all, fmt.Sprintf(spelling, i))
	}
	return all
}
