// SPDX-License-Identifier: Apache-2.0

package strictyaml

import (
	"regexp"
	"strconv"
	"strings"
)

// plainKey is a key that stands in a path as it is; another is quoted in brackets.
var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

// Child returns the path of a key below path.
func Child(path, key string) string {
	if !plainKey.MatchString(key) {
		return path + "[" + quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// index returns the path of an item below path.
func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// parent returns the path without its last part, "" where it has one only.
func parent(path string) string {
	if strings.HasSuffix(path, `"]`) {
		return path[:max(0, strings.LastIndex(path, `["`))]
	}
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}
