// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/throngdp/throng/aggregate"
)

// maxDrafted is how many columns a draft names in each role; the reader of a draft is a person.
const maxDrafted = 40

// draft is both files in the making.
type draft struct {
	r     *report
	names map[string]bool
	// person and event are dimensions, in the order of columns; values have the names of valueNames.
	person, event []string
	values        []*column
	valueNames    map[*column]string
	births        bool
	usage         bool // whether there are usage records
}

var (
	// plainYAML is a text that YAML reads as it stands.
	plainYAML = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)
	unnamed   = regexp.MustCompile(`[^a-z0-9]+`)
)

// words that YAML or its readers take for something else than text.
var yamlWords = map[string]bool{"true": true, "false": true, "null": true, "yes": true, "no": true, "on": true, "off": true, "y": true, "n": true}

// quote writes a column's name into YAML. Names hold no quotes and no backslashes; see shown.
func quote(name string) string {
	if plainYAML.MatchString(name) && !yamlWords[strings.ToLower(name)] {
		return name
	}
	return `"` + name + `"`
}

// named makes a raw name one that a policy can have and that is not taken.
func (d *draft) named(raw string) string {
	name := strings.Trim(unnamed.ReplaceAllString(strings.ToLower(raw), "_"), "_")
	if name == "" || name[0] < 'a' || name[0] > 'z' || yamlWords[name] {
		name = strings.Trim("c_"+name, "_")
	}
	base := name[:min(len(name), 55)]
	for i := 2; d.names[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	d.names[name] = true
	return name
}

// reserved are names that a policy's column or a release's table cannot have.
var reserved = []string{"statistic", "unit", "value", "display", "ci_low", "ci_high", "obs_status", "visitors", "events", "everyone",
	"con", "prn", "aux", "nul"}

func newDraft(r *report) *draft {
	d := &draft{r: r, names: map[string]bool{}, valueNames: map[*column]string{}, usage: r.input(aggregate.Usage) != nil}
	for _, name := range reserved {
		d.names[name] = true
	}
	return d
}

// policy writes the policy's text.
func (d *draft) policy() string {
	var b strings.Builder
	b.WriteString("# A draft of the data owner's rules, made by examples/inspect from the names and forms of columns in a sample. It\n" +
		"# holds names of columns and no value of the data. Read every line: aggregate/REFERENCE.md explains them.\n" +
		"version: 1\npopulation: my-people             # whose budget this is: people, not files\n\n# Who a person is.\nprivacy_unit:\n")
	var ids []string
	for _, in := range d.r.Inputs {
		c := d.r.idOf(in.Name)
		ids = append(ids, fmt.Sprintf("{column: %s, from: %s, kind: %s}", quote(c.Name), c.input, c.idKind))
	}
	fmt.Fprintf(&b, "  ids: [%s]\n\n# What may be read. A column that is not named here is never decoded. Groups are private: they are found in\n"+
		"# the data and shown only through partition selection. A list of groups that you know is exacter.\n", strings.Join(ids, ", "))
	columns := d.columns()
	if columns != "" {
		b.WriteString("columns:\n" + columns)
	}
	b.WriteString(d.notes())
	b.WriteString(d.exclude())
	b.WriteString("\nmin_people: {k: 20}                # no published number rests on fewer people\n" +
		"budget: {epsilon: \"1\", delta: \"1e-9\"}   # for all releases together\nrecipients:\n  partner: {purposes: [statistics]}\n")
	return b.String()
}

// columns writes the lines under columns. A name that both inputs have is the usage's.
func (d *draft) columns() string {
	var b strings.Builder
	drafted := map[role]int{}
	taken := map[string]bool{}
	for c := range d.r.columns {
		if drafted[c.role] >= maxDrafted || taken[c.Name] && c.role != ageBand {
			continue
		}
		if line := d.column(c); line != "" {
			drafted[c.role]++
			taken[c.Name] = true
			b.WriteString(line)
		}
	}
	return b.String()
}

// column writes the lines of one column, none where it has no role here.
func (d *draft) column(c *column) string {
	line := func(name, rest string) string {
		return fmt.Sprintf("  %s: {from: %s, column: %s, %s}\n", name, c.input, quote(c.Name), rest)
	}
	switch c.role {
	case dimension:
		return line(d.keep(&d.person, c.Name), "of: person, role: dimension, groups: private")
	case event:
		return line(d.keep(&d.event, c.Name), "of: event, role: dimension, groups: private")
	case ageBand:
		d.births = d.births || c.as != "age"
		return line(d.keep(&d.person, "age_band"), "of: person, role: dimension, as: "+c.as+", bands: [18, 30, 45, 60]")
	case domain:
		return line(d.keep(&d.event, c.Name+"_domain"), "of: event, role: dimension, as: registrable_domain, groups: private")
	case agent:
		return line(d.keep(&d.event, "browser"), "of: event, role: dimension, as: browser_family, groups: private") +
			line(d.keep(&d.event, "device_class"), "of: event, role: dimension, as: device_class, groups: private")
	case clock:
		return fmt.Sprintf("  %s: {from: %s, column: %s, role: time, as: %s}   # write its zone where times have no offset\n",
			d.named(c.Name), c.input, quote(c.Name), c.as)
	case value:
		d.values, d.valueNames[c] = append(d.values, c), d.named(c.Name)
		return fmt.Sprintf("  %s: {from: %s, column: %s, role: value, clamp: %s}   # set both ends: these are not from the data\n",
			d.valueNames[c], c.input, quote(c.Name), c.clamp())
	case identifier:
		return fmt.Sprintf("  %s: {role: identifier, column: %s}   # never decoded\n", d.named(c.Name), quote(c.Name))
	}
	return ""
}

// keep names a column and lists the name.
func (d *draft) keep(list *[]string, raw string) string {
	name := d.named(raw)
	*list = append(*list, name)
	return name
}

// clamp is what a value may count at most, by what its name says alone: whatever were taken from the data would
// tell of one person's record.
func (c *column) clamp() string {
	for _, known := range []struct{ word, clamp string }{
		{"seconds", "[0, 600]"}, {"secs", "[0, 600]"}, {"duration", "[0, 600]"}, {"dwell", "[0, 600]"}, {"ms", "[0, 600000]"},
		{"millis", "[0, 600000]"}, {"click", "[0, 50]"}, {"clicks", "[0, 50]"}, {"bytes", "[0, 1000000]"}, {"size", "[0, 1000000]"},
		{"price", "[0, 1000]"}, {"revenue", "[0, 1000]"}, {"amount", "[0, 1000]"},
	} {
		if c.hasWords(known.word) {
			return known.clamp
		}
	}
	return "[0, 100]"
}

// notes are columns for a person to decide on.
func (d *draft) notes() string {
	var b strings.Builder
	drafted := 0
	for c := range d.r.columns {
		if drafted == maxDrafted {
			break
		}
		note := ""
		switch c.role {
		case special:
			note = "may be a special category of personal data (GDPR Art. 9); not read unless you name it"
		case bands:
			note = fmt.Sprintf("a number of the person: {from: %s, of: person, role: dimension, column: %s, bands: [LOW, HIGH]}", c.input, quote(c.Name))
		case parental:
			note = fmt.Sprintf("under_age can take unless: {column: %s, is: [\"yes\"]}", quote(c.Name))
		default:
			continue
		}
		drafted++
		fmt.Fprintf(&b, "  # %s: %s\n", quote(c.Name), note)
	}
	return b.String()
}
