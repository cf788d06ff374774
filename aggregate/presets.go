// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"embed"
	"slices"
	"strings"

	"github.com/throngdp/throng/aggregate/internal/strictyaml"
)

// presetFiles are policies of the inputs that many people have, without what only an owner can say.
//
//go:embed presets/*.yaml
var presetFiles embed.FS

// presets returns the names of all presets, in order.
func presets() []string {
	entries, _ := presetFiles.ReadDir("presets") // it is part of the program
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// withPreset lays a policy over the preset that it is from. A name that is none is left to be reported.
func (d *decoder) withPreset(n *strictyaml.Node) *strictyaml.Node {
	name := n.Get("from")
	if name == nil || name.Kind != strictyaml.Scalar || !slices.Contains(presets(), name.Text) {
		return n
	}
	src, _ := presetFiles.ReadFile("presets/" + name.Text + ".yaml") // its name was read above
	base, faults := strictyaml.Parse(src)
	d.Add(faults...)
	if base == nil {
		return n
	}
	return strictyaml.Merge("preset "+name.Text, base, n)
}
