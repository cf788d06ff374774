// SPDX-License-Identifier: Apache-2.0

package table

import "strings"

// MaxItems is how many items of one list count: the first ones. A connector hands over no more.
const MaxItems = 1 << 16

// Path is a column's name that leads into a list: interests[] are the items of the list interests, items[].name
// the member name of each of its items, and params[page] is what the first item says whose member key is page.
type Path struct {
	// List is the way to the list.
	List string
	// Key is the text of the item's key; empty where every item is meant.
	Key string
	// Member is the way from an item to the value, empty where the item is the value.
	Member string
}

// ParsePath takes a name apart that leads into a list; ok is false for any other name. A connector first looks
// for a column that has exactly this name.
func ParsePath(column string) (p Path, ok bool) {
	list, rest, ok := strings.Cut(column, "[")
	if !ok || list == "" {
		return Path{}, false
	}
	key, member, ok := strings.Cut(rest, "]")
	if !ok || strings.ContainsAny(key, "[]") || strings.ContainsAny(member, "[]") {
		return Path{}, false
	}
	if member != "" {
		if member[0] != '.' || len(member) == 1 {
			return Path{}, false
		}
		member = member[1:]
	}
	return Path{List: list, Key: key, Member: member}, true
}

// IsList reports whether a column of this name has several values in one row.
func IsList(column string) bool {
	p, ok := ParsePath(column)
	return ok && p.Key == ""
}

// Item is the column of every item's member, such as params[].value.
func (p Path) Item(member string) string {
	if member == "" {
		return p.List + "[]"
	}
	return p.List + "[]." + member
}

// KeyMember is the member of an item that holds its key.
const KeyMember = "key"

// Members lists the ways from an item to its value, of which the first that is there and not null is the value.
// Lists of keys and values write a value as member value, or below it by its type.
func (p Path) Members() []string {
	if p.Key == "" {
		return []string{p.Member}
	}
	m := p.Member
	if m == "" {
		m = "value"
	}
	return []string{m, m + ".string_value", m + ".int_value", m + ".float_value", m + ".double_value"}
}
