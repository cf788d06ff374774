// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import "strings"

// replace returns a specification with its placeholders filled in.
func replace(text string, pairs ...string) []byte {
	return []byte(strings.NewReplacer(pairs...).Replace(text))
}
