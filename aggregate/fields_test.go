// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
)

// specs are the two files that a person writes.
var specs = []struct {
	name  string
	parse func(src string) error
}{
	{"policy", func(src string) error { _, err := aggregate.ParsePolicy("", []byte(src)); return err }},
	{"release", func(src string) error { _, err := aggregate.ParseRelease("", []byte(src)); return err }},
}

// probe finds every field that a decoder accepts, by handing it a key that no file has and reading
// what it wants instead. Keys that a person chooses are NAME in a path, items of a list [].
type probe struct {
	parse  func(src string) error
	fields map[string]bool
}

const stray = "zq"

// faultAt returns what the decoder says of one path of a file.
func (p *probe) faultAt(src, path string) *aggregate.FieldError {
	for _, fault := range aggregate.Faults(p.parse(src)) {
		if fe, ok := fault.(*aggregate.FieldError); ok && fe.Path == path {
			return fe
		}
	}
	return nil
}

// value explores what may stand at path; wrap puts a value there into a file, at is what faults call
// the place.
func (p *probe) value(path, at string, wrap func(string) string) {
	mapping := wrap("{" + stray + ": {" + stray + ": 1}}")
	if fe := p.faultAt(mapping, at+"."+stray); fe != nil && strings.HasPrefix(fe.Got, "the unknown key") {
		for _, name := range strings.Split(strings.TrimPrefix(fe.Want, "one of "), ", ") {
			below := strings.TrimPrefix(path+"."+name, ".")
			p.fields[below] = true
			p.value(below, at+"."+name, func(v string) string { return wrap("{" + name + ": " + v + "}") })
		}
		return
	}
	named := p.faultAt(mapping, at+"."+stray)
	if p.faultAt(mapping, at+"."+stray+"."+stray) != nil || named != nil && named.Want == "a list" {
		p.value(path+".NAME", at+"."+stray, func(v string) string { return wrap("{" + stray + ": " + v + "}") })
		return
	}
	if fe := p.faultAt(mapping, at); fe != nil && fe.Want == "a list" {
		p.value(path+"[]", at+"[0]", func(v string) string { return wrap("[" + v + "]") })
	}
}

func decoderFields(t *testing.T, root string, parse func(string) error) []string {
	t.Helper()
	p := probe{parse: parse, fields: map[string]bool{}}
	p.value("", root, func(v string) string { return v })
	fields := slices.Sorted(maps.Keys(p.fields))
	require.Greater(t, len(fields), 15, "the probe found too little to be believed: %v", fields)
	return fields
}

func readSchema(t *testing.T, name string) any {
	t.Helper()
	src, err := os.ReadFile("schema/" + name + ".schema.json")
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(src))
	require.NoError(t, err)
	return doc
}

// schemaFields finds every field that a schema names, and requires that it says what each one is and
// that mappings are closed.
func schemaFields(t *testing.T, root, node map[string]any, path string, fields map[string]bool) {
	t.Helper()
	if ref, ok := node["$ref"].(string); ok {
		def := root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")]
		require.NotNil(t, def, "%s", ref)
		schemaFields(t, root, def.(map[string]any), path, fields)
	}
	for name, below := range object(node["properties"]) {
		at := strings.TrimPrefix(path+"."+name, ".")
		fields[at] = true
		assert.NotEmpty(t, object(below)["description"], "%s has no description", at)
		assert.Equal(t, false, node["additionalProperties"], "the mapping of %s is open", at)
		schemaFields(t, root, object(below), at, fields)
	}
	if below := object(node["additionalProperties"]); below != nil {
		schemaFields(t, root, below, path+".NAME", fields)
	}
	if below := object(node["items"]); below != nil {
		schemaFields(t, root, below, path+"[]", fields)
	}
	choices, _ := node["oneOf"].([]any)
	for _, below := range choices {
		schemaFields(t, root, object(below), path, fields)
	}
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func TestSchemasNameEveryFieldThatTheDecoderAcceptsAndNothingElse(t *testing.T) {
	for _, s := range specs {
		t.Run(s.name, func(t *testing.T) {
			root, fields := object(readSchema(t, s.name)), map[string]bool{}
			schemaFields(t, root, root, "", fields)
			assert.Equal(t, decoderFields(t, s.name, s.parse), slices.Sorted(maps.Keys(fields)))
		})
	}
}

func compileSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("mem:///"+name, readSchema(t, name)))
	schema, err := c.Compile("mem:///" + name)
	require.NoError(t, err)
	return schema
}

// asJSON reads YAML as an editor does.
func asJSON(t *testing.T, src []byte) any {
	t.Helper()
	var doc any
	require.NoError(t, yaml.Unmarshal(src, &doc))
	text, err := json.Marshal(doc)
	require.NoError(t, err)
	doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	return doc
}

func TestExamplesFitTheirSchemas(t *testing.T) {
	for _, s := range specs {
		schema := compileSchema(t, s.name)
		paths, err := filepath.Glob("../examples/*/" + s.name + "*.yaml")
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(paths), 2)
		for _, path := range paths {
			src, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.NoError(t, schema.Validate(asJSON(t, src)), path)
			assert.NoError(t, s.parse(string(src)), path)
		}
	}
}

// TestTheSchemaTakesAPolicyThatIsLaidOverAPreset: there, parts of columns and rules will do.
func TestTheSchemaTakesAPolicyThatIsLaidOverAPreset(t *testing.T) {
	schema := compileSchema(t, "policy")
	for _, part := range []string{
		"", "columns: {gender: {values: {f: female}}, country: none}", "exclude: none", "exclude: {bots: none, signals: {gpc: x}}",
	} {
		src := []byte(ownPart + "from: segment\n" + part + "\n")
		assert.NoError(t, schema.Validate(asJSON(t, src)), part)
		_, err := aggregate.ParsePolicy("p", src)
		assert.NoError(t, err, part)
	}
	assert.Error(t, schema.Validate(asJSON(t, []byte(ownPart+"from: segment\ncolumns: {city: nothing}\n"))))
	assert.Error(t, schema.Validate(asJSON(t, []byte(ownPart))), "without a preset somebody must be protected")
}

// TestSchemasRefuseWhatTheDecoderRefuses gives an editor's user the same answer as a run, as far as a
// schema can tell.
func TestSchemasRefuseWhatTheDecoderRefuses(t *testing.T) {
	for _, c := range []struct{ spec, file, from, to string }{
		{"policy", plainPolicy, "version: 1", "version: 2"},
		{"policy", plainPolicy, "k: 20", "k: 0"},
		{"policy", plainPolicy, "k: 20", "K: 20"},
		{"policy", plainPolicy, "kind: opaque", "kind: Opaque"},
		{"policy", plainPolicy, "role: dimension, groups: private", "role: dimension, groups: secret"},
		{"policy", plainPolicy, `"4"`, "21"},
		{"policy", plainPolicy, `"4"`, `"0x1"`},
		{"policy", plainPolicy, "section:", "obs_status:"},
		{"policy", plainPolicy, "version: 1\n", "version: 1\nfrom: excel\n"},
		{"policy", plainPolicy, "min_people:", "exclude: none\nmin_people:"},
		{"policy", plainPolicy, "min_people:", "exclude: {bots: {from: usage}}\nmin_people:"},
		{"policy", plainPolicy, "role: dimension, groups: private", "groups: private"},
		{"policy", plainPolicy, "{acme: {purposes: [advertising]}}", "{}"},
		{"release", plainRelease, "period: all", "period: everything"},
		{"release", plainRelease, "[visitors]", "[visitor]"},
		{"release", plainRelease, "[visitors]", "[{sum: seconds, mean: seconds}]"},
		{"release", plainRelease, "max_partitions: 2", "max_partitions: 40000"},
		{"release", plainRelease, "snapshot: s1\n", ""},
	} {
		schema := compileSchema(t, c.spec)
		assert.NoError(t, schema.Validate(asJSON(t, []byte(c.file))))
		assert.Error(t, schema.Validate(asJSON(t, edited(t, c.file, c.from, c.to))), "%q for %q", c.to, c.from)
	}
}

// documented is the first cell of a row of the reference: a field's path.
var documented = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")

func TestReferenceDocumentsEveryFieldThatTheDecoderAcceptsAndNothingElse(t *testing.T) {
	page, err := os.ReadFile("REFERENCE.md")
	require.NoError(t, err)
	for _, s := range specs {
		_, section, ok := strings.Cut(string(page), "\n## "+s.name+".yaml\n")
		require.True(t, ok, "the reference has no section %s.yaml", s.name)
		section, _, _ = strings.Cut(section, "\n## ")
		var fields []string
		for _, row := range documented.FindAllStringSubmatch(section, -1) {
			fields = append(fields, row[1])
		}
		slices.Sort(fields)
		assert.Equal(t, decoderFields(t, s.name, s.parse), fields)
	}
}
