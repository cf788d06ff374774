// SPDX-License-Identifier: Apache-2.0

package strictyaml

import (
	"slices"
	"strings"
)

// DidYouMean returns the name that a person most likely meant by got: one that differs in case only,
// else the nearest within two edits (insert, remove or replace a character) that keep at least half of
// got; "" where there is none. Ties go to the name that sorts first.
func DidYouMean(got string, names []string) string {
	if got == "" || len(got) > maxKey {
		return ""
	}
	from := []rune(strings.ToLower(got))
	best, bestEdits := "", min(2, len(from)/2)+1
	for _, name := range slices.Sorted(slices.Values(names)) {
		if len(name) > maxKey {
			continue
		}
		if edits := distance(from, []rune(strings.ToLower(name))); edits < bestEdits {
			best, bestEdits = name, edits
		}
	}
	return best
}

// distance is the edit distance of Levenshtein (1966), one row at a time.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
