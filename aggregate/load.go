// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/throngdp/throng/aggregate/internal/strictyaml"
	"github.com/throngdp/throng/dp"
)

// maxSpecBytes is how much of a policy or release file is read. A larger one is refused.
const maxSpecBytes = 64 << 10

// LoadPolicy reads a policy file and the tables that it names. Faults of form are reported together as [*FieldError]s; faults of
// meaning are found by [NewPlan].
func LoadPolicy(path string) (*Policy, error) {
	src, err := readSpec(path)
	if err != nil {
		return nil, err
	}
	p, err := ParsePolicy(path, src)
	if err != nil {
		return nil, err
	}
	if err := p.loadLookups(); err != nil {
		return nil, err
	}
	return p, nil
}

// LoadRelease reads a release file; see [LoadPolicy].
func LoadRelease(path string) (*Release, error) {
	src, err := readSpec(path)
	if err != nil {
		return nil, err
	}
	return ParseRelease(path, src)
}

func readSpec(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening specification: %w", err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxSpecBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return src, nil
}

// ParsePolicy reads a policy from YAML text; name is how faults call the file. A policy with a from is laid over
// that preset: mappings are merged by key, none takes a mapping or a list out, anything else replaces.
// It reads no other file: a caller fills [Lookup.Table].
func ParsePolicy(name string, src []byte) (*Policy, error) {
	p := &Policy{}
	d := newDecoder(name, "policy")
	d.decode(src, func(n *strictyaml.Node) {
		d.Mapping(d.withPreset(n), "", fields{
			"version":    d.int(&p.Version),
			"from":       func(n *strictyaml.Node, path string) { d.Choice(n, path, presets(), &p.From) },
			"population": d.string(&p.Population),
			"privacy_unit": d.mapping(fields{
				"ids": d.items(func(n *strictyaml.Node, path string) {
					p.PrivacyUnit.IDs = append(p.PrivacyUnit.IDs, d.idColumn(n, path))
				}),
				"per":   d.string(&p.PrivacyUnit.Per),
				"links": func(n *strictyaml.Node, path string) { p.PrivacyUnit.Links = d.links(n, path) },
			}),
			"inputs": d.mapping(fields{
				"visitors": d.format(&p.Inputs.Visitors),
				"usage":    d.format(&p.Inputs.Usage),
				"links":    d.format(&p.Inputs.Links),
				"listed":   d.format(&p.Inputs.Listed),
				"consents": d.format(&p.Inputs.Consents),
			}),
			"columns": func(n *strictyaml.Node, path string) {
				p.Columns = map[string]Column{}
				d.Each(n, path, func(key string, n *strictyaml.Node, path string) { p.Columns[key] = d.column(n, path) })
			},
			"exclude": d.mapping(fields{
				"tcf": func(n *strictyaml.Node, path string) {
					r := &TCFRule{}
					d.Mapping(n, path, fields{
						"from": decodeText(d, &r.From), "column": d.string(&r.Column), "applies": d.string(&r.Applies), "unset": decodeText(d, &r.Unset),
						"purposes": d.items(func(n *strictyaml.Node, path string) {
							var purpose int64
							d.Int(n, path, &purpose)
							r.Purposes = append(r.Purposes, purpose)
						}),
					})
					p.Exclude.TCF = r
				},
				"retention": func(n *strictyaml.Node, path string) {
					p.Exclude.Retention = &RetentionRule{}
					d.Mapping(n, path, fields{"days": d.int(&p.Exclude.Retention.Days)})
				},
				"listed": func(n *strictyaml.Node, path string) {
					p.Exclude.Listed = &ListedRule{}
					d.Mapping(n, path, fields{"columns": d.listColumns(&p.Exclude.Listed.Columns)})
				},
				"consents":  func(n *strictyaml.Node, path string) { p.Exclude.Consents = d.consents(n, path) },
				"consent":   func(n *strictyaml.Node, path string) { p.Exclude.Consent = d.consent(n, path) },
				"under_age": func(n *strictyaml.Node, path string) { p.Exclude.UnderAge = d.underAge(n, path) },
				"opt_outs": d.items(func(n *strictyaml.Node, path string) {
					var a AllowRule
					d.Mapping(n, path, d.allow(&a, fields{"purposes": d.strings(&a.Purposes)}))
					p.Exclude.OptOuts = append(p.Exclude.OptOuts, a)
				}),
				"signals": func(n *strictyaml.Node, path string) {
					s := &SignalsRule{}
					d.Mapping(n, path, fields{
						"from": decodeText(d, &s.From), "gpc": d.string(&s.GPC), "dnt": d.string(&s.DNT), "coppa": d.string(&s.COPPA),
						"unset": decodeText(d, &s.Unset),
					})
					p.Exclude.Signals = s
				},
				"bots": func(n *strictyaml.Node, path string) {
					b := &BotsRule{}
					d.Mapping(n, path, fields{"from": decodeText(d, &b.From), "column": d.string(&b.Column), "unset": decodeText(d, &b.Unset)})
					p.Exclude.Bots = b
				},
				"internal": func(n *strictyaml.Node, path string) {
					r := &InternalRule{}
					d.Mapping(n, path, fields{
						"from": decodeText(d, &r.From), "column": d.string(&r.Column), "networks": d.strings(&r.Networks), "unset": decodeText(d, &r.Unset),
					})
					p.Exclude.Internal = r
				},
				"country": func(n *strictyaml.Node, path string) {
					p.Exclude.Country = &AllowRule{}
					d.Mapping(n, path, d.allow(p.Exclude.Country, fields{}))
				},
			}),
			"min_people": d.mapping(fields{"k": d.int(&p.MinPeople.K), "declared": decodeText(d, &p.MinPeople.Declared)}),
			"budget":     d.spend(&p.Budget),
			"recipients": func(n *strictyaml.Node, path string) {
				p.Recipients = map[string]Recipient{}
				d.Each(n, path, func(key string, n *strictyaml.Node, path string) {
					var r Recipient
					d.Mapping(n, path, fields{"purposes": d.strings(&r.Purposes)})
					p.Recipients[key] = r
				})
			},
		})
	})
	if err := d.err(); err != nil {
		return nil, err
	}
	p.file, p.lines = name, d.Lines()
	return p, nil
}

// ParseRelease reads a release from YAML text; name is how faults call the file.
func ParseRelease(name string, src []byte) (*Release, error) {
	r := &Release{}
	d := newDecoder(name, "release")
	d.decode(src, func(n *strictyaml.Node) {
		d.Mapping(n, "", fields{
			"version":   d.int(&r.Version),
			"name":      d.string(&r.Name),
			"snapshot":  d.string(&r.Snapshot),
			"recipient": d.string(&r.Recipient),
			"purpose":   d.string(&r.Purpose),
			"period":    func(n *strictyaml.Node, path string) { r.Period = d.period(n, path) },
			"as_of":     d.string(&r.AsOf),
			"spend":     d.spend(&r.Spend),
			"tables": d.items(func(n *strictyaml.Node, path string) {
				var t Table
				d.Mapping(n, path, fields{
					"name":       d.string(&t.Name),
					"group_by":   d.strings(&t.GroupBy),
					"bounds":     d.bounds(&t.Bounds, &t.Auto),
					"roll_up":    d.rollUp(&t.RollUp),
					"statistics": d.items(func(n *strictyaml.Node, path string) { t.Statistics = append(t.Statistics, d.statistic(n, path)) }),
					"weight":     d.int(&t.Weight),
					"top": func(n *strictyaml.Node, path string) {
						t.Top = &Top{}
						d.mapping(fields{"groups": d.int(&t.Top.Groups), "by": d.string(&t.Top.By)})(n, path)
					},
				})
				r.Tables = append(r.Tables, t)
			}),
		})
	})
	if err := d.err(); err != nil {
		return nil, err
	}
	r.file, r.lines = name, d.Lines()
	return r, nil
}

// fields is what a mapping may hold.
type fields = map[string]func(n *strictyaml.Node, path string)

// decoder binds nodes to the values of this package.
type decoder struct {
	*strictyaml.Binder
	file string
}

func newDecoder(file, root string) *decoder {
	return &decoder{Binder: strictyaml.NewBinder(root), file: file}
}

func (d *decoder) decode(src []byte, bind func(*strictyaml.Node)) {
	n, parseFaults := strictyaml.Parse(src)
	d.Add(parseFaults...)
	if n != nil {
		bind(n)
	}
}

func (d *decoder) err() error {
	f := faults{where: where{file: d.file}}
	for _, fault := range d.Faults() {
		f.list = append(f.list, &FieldError{
			Path: fault.Path, Got: fault.Got, Want: fault.Want, Fix: fault.Fix, File: cmp.Or(fault.Source, d.file), Line: fault.Line,
		})
	}
	return f.err()
}

func (d *decoder) int(dst *int64) func(*strictyaml.Node, string) {
	return func(n *strictyaml.Node, path string) { d.Int(n, path, dst) }
}

func (d *decoder) string(dst *string) func(*strictyaml.Node, string) {
	return func(n *strictyaml.Node, path string) { d.String(n, path, dst) }
}

func decodeText[T ~string](d *decoder, dst *T) func(*strictyaml.Node, string) {
	return func(n *strictyaml.Node, path string) { *dst = T(d.Text(n, path)) }
}

func (d *decoder) strings(dst *[]string) func(*strictyaml.Node, string) {
	return func(n *strictyaml.Node, path string) { d.Strings(n, path, dst) }
}

func (d *decoder) mapping(f fields) func(*strictyaml.Node, string) {
	return func(n *strictyaml.Node, path string) { d.Mapping(n, path, f) }
}

func (d *decoder) items(f func(*strictyaml.Node, string)) func(*strictyaml.Node, string) {
	return func(n *strictyaml.Node, path string) {
		d.Items(n, path, func(_ int, n *strictyaml.Node, path string) { f(n, path) })
	}
}

// bounds binds bounds, and where auto is not nil, how better ones are found.
func (d *decoder) bounds(b *dp.ContributionBounds, auto **AutoBounds) func(*strictyaml.Node, string) {
	of := fields{"max_partitions": d.int(&b.MaxPartitions), "max_per_partition": d.int(&b.MaxPerPartition), "max_contributions": d.int(&b.MaxContributions)}
	if auto != nil {
		of["auto"] = func(n *strictyaml.Node, path string) {
			a := &AutoBounds{}
			*auto = a
			d.mapping(fields{
				"share": d.string(&a.Share), "groups": d.int(&a.Groups),
				"max_partitions": d.int(&a.MaxPartitions), "max_per_partition": d.int(&a.MaxPerPartition),
				"clamps": d.strings(&a.Clamps),
			})(n, path)
		}
	}
	return d.mapping(of)
}

func (d *decoder) idColumn(n *strictyaml.Node, path string) IDColumn {
	var id IDColumn
	d.Mapping(n, path, fields{"column": d.string(&id.Column), "from": decodeText(d, &id.From), "kind": d.string(&id.Kind)})
	return id
}

func (d *decoder) links(n *strictyaml.Node, path string) *Links {
	var l Links
	d.Mapping(n, path, fields{"max_ids": d.int(&l.MaxIDs), "columns": d.listColumns(&l.Columns)})
	return &l
}

func (d *decoder) listColumns(columns *[]ListColumn) func(*strictyaml.Node, string) {
	return d.items(func(n *strictyaml.Node, path string) {
		var c ListColumn
		d.Mapping(n, path, fields{"column": d.string(&c.Column), "id": d.string(&c.ID)})
		*columns = append(*columns, c)
	})
}

func (d *decoder) format(f *Format) func(*strictyaml.Node, string) {
	return d.mapping(fields{
		"format": d.string(&f.Format), "delimiter": d.string(&f.Delimiter), "columns": d.strings(&f.Columns),
		"encoding": d.string(&f.Encoding), "null": d.strings(&f.Null),
	})
}

func (d *decoder) column(n *strictyaml.Node, path string) Column {
	var c Column
	d.Mapping(n, path, fields{
		"from": decodeText(d, &c.From), "of": decodeText(d, &c.Of), "role": decodeText(d, &c.Role),
		"column": d.string(&c.Column), "columns": d.strings(&c.Columns), "join": d.string(&c.Join), "split": d.string(&c.Split),
		"as": d.string(&c.As), "length": d.int(&c.Length),
		"bits": d.mapping(fields{"v4": d.int(&c.Bits.V4), "v6": d.int(&c.Bits.V6)}),
		"zone": d.string(&c.Zone), "grain": d.string(&c.Grain),
		"values": func(n *strictyaml.Node, path string) {
			c.Values = map[string]string{}
			d.Each(n, path, func(key string, n *strictyaml.Node, path string) { c.Values[key] = d.Text(n, path) })
		},
		"lookup": func(n *strictyaml.Node, path string) {
			c.Lookup = &Lookup{}
			d.Mapping(n, path, fields{"file": d.string(&c.Lookup.File), "by": d.string(&c.Lookup.By), "level": d.int(&c.Lookup.Level)})
		},
		"otherwise": d.string(&c.Otherwise),
		"bands": d.items(func(n *strictyaml.Node, path string) {
			var edge int64
			d.Int(n, path, &edge)
			c.Bands = append(c.Bands, edge)
		}),
		"step": d.int(&c.Step), "origin": d.int(&c.Origin),
		"range": d.items(func(n *strictyaml.Node, path string) {
			var end int64
			d.Int(n, path, &end)
			c.Range = append(c.Range, end)
		}),
		"groups": func(n *strictyaml.Node, path string) {
			if n.Kind == strictyaml.Scalar {
				c.Groups.Private = d.word(n, path, "private, or a list of groups", "private") != ""
				return
			}
			d.Strings(n, path, &c.Groups.Declared)
		},
		"resolve": d.string(&c.Resolve),
		"clamp":   func(n *strictyaml.Node, path string) { c.Clamp = d.clamp(n, path) },
		"sum_clamp": func(n *strictyaml.Node, path string) {
			c.SumClamp = d.clamp(n, path)
		},
		"resolution": func(n *strictyaml.Node, path string) { d.Decimal(n, path, &c.Resolution) },
		"unit":       d.string(&c.Unit), "invalid": d.string(&c.Invalid),
	})
	return c
}

func (d *decoder) clamp(n *strictyaml.Node, path string) *Range {
	var ends []string
	d.Items(n, path, func(_ int, n *strictyaml.Node, path string) {
		var end string
		d.Decimal(n, path, &end)
		ends = append(ends, end)
	})
	if n.Kind != strictyaml.Sequence {
		return nil
	}
	if len(ends) != 2 {
		d.Fault(n, path, fmt.Sprintf("%d numbers", len(ends)), "two, [lower, upper]", "write the smallest and the largest value that counts")
		return nil
	}
	return &Range{Lower: ends[0], Upper: ends[1]}
}

func (d *decoder) consent(n *strictyaml.Node, path string) *ConsentRule {
	var c ConsentRule
	d.Mapping(n, path, fields{
		"from": decodeText(d, &c.From), "column": d.string(&c.Column), "allow": d.strings(&c.Allow), "purpose": d.string(&c.Purpose),
		"given": d.given(&c.Given),
	})
	return &c
}

func (d *decoder) given(g **Given) func(*strictyaml.Node, string) {
	return func(n *strictyaml.Node, path string) {
		*g = &Given{}
		d.Mapping(n, path, fields{
			"at": d.string(&(*g).At), "withdrawn": d.string(&(*g).Withdrawn), "as": d.string(&(*g).As), "zone": d.string(&(*g).Zone), "days": d.int(&(*g).Days),
		})
	}
}

func (d *decoder) consents(n *strictyaml.Node, path string) *ConsentsRule {
	var r ConsentsRule
	d.Mapping(n, path, fields{
		"columns": d.listColumns(&r.Columns), "status": d.string(&r.Status), "allow": d.strings(&r.Allow),
		"at": d.string(&r.At), "as": d.string(&r.As), "zone": d.string(&r.Zone), "days": d.int(&r.Days),
		"purpose": d.string(&r.Purpose), "unset": decodeText(d, &r.Unset),
		"purposes": func(n *strictyaml.Node, path string) {
			r.Purposes = map[string][]string{}
			d.Each(n, path, func(key string, n *strictyaml.Node, path string) {
				words := []string{}
				d.Strings(n, path, &words)
				r.Purposes[key] = words
			})
		},
	})
	return &r
}

// allow adds the fields of a rule to others.
func (d *decoder) allow(a *AllowRule, more fields) fields {
	more["from"], more["column"] = decodeText(d, &a.From), d.string(&a.Column)
	more["allow"], more["unset"] = d.strings(&a.Allow), decodeText(d, &a.Unset)
	return more
}

func (d *decoder) underAge(n *strictyaml.Node, path string) *UnderAgeRule {
	var u UnderAgeRule
	d.Mapping(n, path, fields{
		"from": decodeText(d, &u.From), "column": d.string(&u.Column), "as": d.string(&u.As), "below": d.int(&u.Below),
		"unless": func(n *strictyaml.Node, path string) {
			u.Unless = &Unless{}
			d.Mapping(n, path, fields{
				"column": d.string(&u.Unless.Column), "is": d.strings(&u.Unless.Is), "given": d.given(&u.Unless.Given),
			})
		},
	})
	return &u
}

func (d *decoder) spend(s *dp.Spend) func(*strictyaml.Node, string) {
	return d.mapping(fields{
		"epsilon": func(n *strictyaml.Node, path string) {
			text := d.Text(n, path)
			e, err := dp.ParseEpsilon(text)
			if err != nil {
				d.parameter(n, path, text, err)
			}
			s.Epsilon = e
		},
		"delta": func(n *strictyaml.Node, path string) {
			text := d.Text(n, path)
			e, err := dp.ParseDelta(text)
			if err != nil {
				d.parameter(n, path, text, err)
			}
			s.Delta = e
		},
	})
}

// word binds one of a few words where something longer could stand as well.
func (d *decoder) word(n *strictyaml.Node, path, want string, words ...string) string {
	if slices.Contains(words, n.Text) {
		return n.Text
	}
	fix := ""
	if name := strictyaml.DidYouMean(n.Text, words); name != "" {
		fix = "did you mean " + name + "?"
	}
	d.Fault(n, path, quoted(n.Text), want, fix)
	return ""
}

// parameter adds the fault of an ε or δ; where it is no text at all, that fault is there already.
func (d *decoder) parameter(n *strictyaml.Node, path, text string, err error) {
	if n.Kind == strictyaml.Scalar {
		d.Fault(n, path, quoted(text), err.Error()[len("want "):], "write it as a decimal")
	}
}

func (d *decoder) period(n *strictyaml.Node, path string) Period {
	var p Period
	if n.Kind == strictyaml.Scalar {
		p.All = d.word(n, path, wantPeriod, "all") != ""
		return p
	}
	d.Mapping(n, path, fields{"from": d.string(&p.From), "to": d.string(&p.To)})
	return p
}

func (d *decoder) statistic(n *strictyaml.Node, path string) Statistic {
	if n.Kind == strictyaml.Scalar {
		return Statistic{Kind: StatisticKind(d.word(n, path, wantStatistic, string(CountVisitors), string(CountEvents)))}
	}
	var s Statistic
	kind := func(k StatisticKind) func(*strictyaml.Node, string) {
		return func(n *strictyaml.Node, path string) {
			if s.Kind != "" {
				d.Fault(n, path, "a second statistic", "one statistic per list item", "begin a new line with \"- \"")
				return
			}
			s.Kind, s.Of = k, d.Text(n, path)
		}
	}
	d.Mapping(n, path, fields{
		"sum": kind(SumOf), "mean": kind(MeanOf), "variance": kind(VarianceOf), "stddev": kind(StdDevOf),
		"rate": kind(RateOf), "per": d.string(&s.Per), "share": kind(ShareOf), "within": d.strings(&s.Within),
		"quantile": kind(QuantileOf), "rank": func(n *strictyaml.Node, path string) { d.Decimal(n, path, &s.Rank) },
	})
	return s
}
