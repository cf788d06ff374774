// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// registrySchema is the schema of the OpenDP registry of deployments, beside the project.
const registrySchema = "../../../shared/schemas/opendp_deployments-schema.yaml"

// node is the part of a JSON schema that the registry uses.
type node struct {
	Type       any             `yaml:"type"`
	Enum       []string        `yaml:"enum"`
	Required   []string        `yaml:"required"`
	Properties map[string]node `yaml:"properties"`
}

// faults lists how a value departs from the schema.
func (n node) faults(path string, value any) []string {
	var out []string
	object, isObject := value.(map[string]any)
	if isObject {
		for _, name := range n.Required {
			if object[name] == nil {
				out = append(out, path+"."+name+" is missing")
			}
		}
		for _, name := range slices.Sorted(maps.Keys(object)) {
			if property, ok := n.Properties[name]; ok {
				out = append(out, property.faults(path+"."+name, object[name])...)
			} else {
				out = append(out, path+"."+name+" is unknown")
			}
		}
	}
	if is := map[bool]string{true: "object"}[isObject] + kind(value); !slices.Contains(types(n.Type), is) {
		out = append(out, fmt.Sprintf("%s is a %s, not %v", path, is, n.Type))
	}
	if text, _ := value.(string); n.Enum != nil && !slices.Contains(n.Enum, text) {
		out = append(out, path+" is none of the words allowed")
	}
	return out
}

func kind(value any) string {
	switch value.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	}
	return ""
}

// types returns the types that a schema allows; where it names none, text is meant.
func types(declared any) []string {
	switch d := declared.(type) {
	case nil:
		return []string{"string"}
	case []any:
		var all []string
		for _, one := range d {
			all = append(all, fmt.Sprint(one))
		}
		return all
	}
	return []string{fmt.Sprint(declared)}
}

// TestDeploymentIsWhatTheRegistryTakes: all that an owner has to add to file an entry is what only they
// know.
func TestDeploymentIsWhatTheRegistryTakes(t *testing.T) {
	content, err := os.ReadFile(registrySchema)
	if os.IsNotExist(err) {
		t.Skip("the registry's schema is not beside the project")
	}
	require.NoError(t, err)
	var schema node
	require.NoError(t, yaml.Unmarshal(content, &schema))
	require.NotEmpty(t, schema.Properties["deployment"].Properties["basic"].Properties["data_product_type"].Enum)

	manifest, err := os.ReadFile(filepath.Join(write(t, silent(t)), "release.json"))
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(manifest, &got))
	assert.Equal(t, []string{
		"deployment.basic.data_curators is missing",
		"deployment.basic.data_product_region is missing",
		"deployment.basic.publication_date is missing",
	}, schema.Properties["deployment"].faults("deployment", got["deployment"]))
}
