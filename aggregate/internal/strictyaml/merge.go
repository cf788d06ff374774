// SPDX-License-Identifier: Apache-2.0

package strictyaml

import "slices"

// none is what takes a mapping or a list out of what lies below.
const none = "none"

// Merge lays over, a file that a person wrote, over base, a file of that name. Two mappings at the same place
// are merged key by key. A mapping or list of base is left out where over has none there, without quotes.
// Anything else of over replaces what base has. Neither node is changed; the result shares parts of both.
func Merge(name string, base, over *Node) *Node {
	return merge(from(name, base), over)
}

func merge(base, over *Node) *Node {
	if base.Kind != Mapping || over.Kind != Mapping {
		return over
	}
	merged := *over
	merged.Entries = nil
	for _, e := range base.Entries {
		i := slices.IndexFunc(over.Entries, func(o Entry) bool { return o.Key == e.Key })
		switch {
		case i < 0:
			merged.Entries = append(merged.Entries, e)
		case !takesOut(e.Value, over.Entries[i].Value):
			o := over.Entries[i]
			o.Value = merge(e.Value, o.Value)
			merged.Entries = append(merged.Entries, o)
		}
	}
	for _, o := range over.Entries {
		if base.Get(o.Key) == nil {
			merged.Entries = append(merged.Entries, o)
		}
	}
	return &merged
}

func takesOut(base, over *Node) bool {
	return (base.Kind == Mapping || base.Kind == Sequence) && over.Kind == Scalar && over.Text == none && !over.Quoted
}

// from returns a copy of n and what is below it that says where it comes from.
func from(name string, n *Node) *Node {
	out := *n
	out.Source = name
	out.Entries, out.Items = slices.Clone(n.Entries), slices.Clone(n.Items)
	for i := range out.Entries {
		out.Entries[i].Source, out.Entries[i].Value = name, from(name, out.Entries[i].Value)
	}
	for i := range out.Items {
		out.Items[i] = from(name, out.Items[i])
	}
	return &out
}
