// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/audit"
)

// ends are what every policy and every release here has.
const (
	policyEnd = `
budget: {epsilon: "20", delta: "0.009"}
recipients: {team: {purposes: [statistics]}}
`
	releaseStart = `
version: 1
name: odd
snapshot: s1
recipient: team
purpose: statistics
as_of: 2026-03-01
`
)

// tables are what lookups read.
var tables = map[string]string{
	"carriers":  "+3015;one\n+3115;two\n+3;other carriers\n",
	"countries": "1.0.0.0/8,DE\n2.0.0.0/8,FR\n2001:db8::/32,FR\n",
}

// odd are policies of kinds that the examples do not have.
var odd = map[string][2]string{
	"visitors alone": {`
version: 1
population: members
privacy_unit: {ids: [{column: id, from: visitors, kind: int}]}
columns:
  gender: {from: visitors, of: person, role: dimension, groups: [female, male, unknown]}
  region: {from: visitors, of: person, role: dimension, groups: private}
min_people: {k: 1}`, `
period: all
spend: {epsilon: "1", delta: "1e-6"}
tables:
  - {name: gender, group_by: [gender], statistics: [visitors, {share: visitors}]}
  - {name: region, group_by: [region, gender], statistics: [{share: visitors, within: [region]}]}`},
	"a preset": {`
version: 1
population: riders
from: bike_share
columns: {start_station: {groups: ["1", "2", "3"]}, end_station: none}
min_people: {k: 1}`, `
period: {from: 2026-03-16, to: 2026-03-23}
spend: {epsilon: "1", delta: "1e-6"}
tables:
  - {name: gender, group_by: [gender, age], statistics: [visitors]}
  - {name: stations, group_by: [start_station], bounds: {max_partitions: 2, max_per_partition: 3}, statistics: [visitors, events]}`},
	"days of people": {`
version: 1
population: readers
privacy_unit: {ids: [{column: id, kind: int}], per: day}
columns:
  day: {from: usage, of: event, role: dimension, column: at, as: rfc3339, grain: day, zone: Asia/Tokyo, groups: private}
  at: {from: usage, role: time, as: rfc3339, zone: Asia/Tokyo}
  page: {from: usage, of: event, role: dimension, groups: private}
  plan: {from: visitors, of: person, role: dimension, groups: [free, paid]}
  device: {from: usage, of: person, role: dimension, groups: [phone, desk]}
  seconds: {from: usage, role: value, clamp: [0, 60]}
exclude:
  consent: {from: visitors, column: consent, allow: ["yes"], given: {at: consented, withdrawn: withdrew, as: yyyymmdd}}
  listed: {columns: [{column: erased, id: id}]}
  consents: {columns: [{column: who, id: id}], status: said, allow: [granted], at: said_at, as: unix_ms, days: 1}
min_people: {k: 1}`, `
period: {from: 2026-03-16, to: 2026-03-21}
spend: {epsilon: "1", delta: "1e-6"}
tables:
  - {name: days, group_by: [day, plan, device], bounds: {max_partitions: 1, max_per_partition: 3}, statistics: [visitors, events, {mean: seconds}]}
  - {name: pages, group_by: [day, page], bounds: {max_partitions: 2, max_per_partition: 3, max_contributions: 4}, statistics: [visitors, {share: visitors, within: [day]}, {share: events, within: [day]}]}`},
	"records of nobody": {`
version: 1
population: requests
privacy_unit: {per: record}
columns:
  path: {from: usage, of: event, role: dimension, groups: private}
  code: {from: usage, of: event, role: dimension, groups: ["200", "404", "500"]}
  bytes: {from: usage, role: value, clamp: [0, 60]}
exclude:
  country: {from: usage, column: country, allow: [GB, IE]}
min_people: {k: 20}`, `
period: all
spend: {epsilon: "1", delta: "1e-6"}
tables:
  - {name: paths, group_by: [path], statistics: [events, {sum: bytes}, {share: events}]}
  - {name: codes, group_by: [code], statistics: [events, {mean: bytes}, {quantile: bytes, rank: 0.9}]}`},
	"days of linked ids": {`
version: 1
population: owners
privacy_unit:
  ids: [{column: cookie, from: usage, kind: opaque}, {column: id, from: visitors, kind: int}]
  per: day
  links:
    max_ids: 3
    columns: [{column: new, id: cookie}, {column: member, id: id}, {column: old, id: cookie}]
columns:
  day: {from: usage, of: event, role: dimension, column: at, as: rfc3339, grain: day, groups: private}
  at: {from: usage, role: time, as: rfc3339}
  page: {from: usage, of: event, role: dimension, groups: private}
  plan: {from: visitors, of: person, role: dimension, groups: [free, paid]}
exclude:
  consents:
    columns: [{column: user, id: id}, {column: web, id: cookie}]
    status: event
    allow: [allow_all]
    at: day
    as: date
    purpose: scope
    purposes: {statistics: [all, analytics]}
min_people: {k: 1}`, `
period: {from: 2026-03-16, to: 2026-03-21}
spend: {epsilon: "1", delta: "1e-6"}
tables:
  - {name: pages, group_by: [day, page, plan], bounds: {max_partitions: 2, max_per_partition: 3}, statistics: [visitors, events]}`},
	"days of a course, joined columns, several ids": {`
version: 1
population: students
privacy_unit:
  ids:
    - {column: student, from: usage, kind: uuid}
    - {column: id_student, from: visitors, kind: uuid}
    - {column: phone, kind: phone}
columns:
  course: {from: usage, of: event, role: dimension, columns: [module, presentation], join: "-", groups: [A-1, A-2, B-1], otherwise: other}
  age: {from: visitors, of: person, role: dimension, column: born, as: birth_date, bands: [18, 30]}
  week: {from: usage, of: event, role: dimension, column: date, as: day_offset, grain: week, groups: private}
  day: {from: usage, role: time, column: date, as: day_offset}
  clicks: {from: usage, role: value, clamp: [-50, 10]}
exclude:
  under_age: {from: visitors, column: born, as: birth_date, below: 16, unless: {column: parent, is: ["yes"]}}
  opt_outs: [{from: visitors, column: research, allow: ["in", "unsure"]}]
  signals: {from: usage, gpc: sec_gpc, dnt: dnt, unset: keep}
  country: {from: visitors, column: country, allow: [GB, IE]}
  bots: {from: usage, column: agent}
  internal: {from: usage, column: address, networks: [192.0.2.0/24, "2001:db8::/32"]}
  tcf: {from: usage, column: tc, purposes: [8, 9], applies: gdpr}
min_people: {k: 1000, declared: noisy}`, `
period: {from: 7, to: 28}
spend: {epsilon: "1", delta: "1e-6"}
tables:
  - {name: course_age, group_by: [course, age], bounds: {max_partitions: 2, max_per_partition: 1000000000}, statistics: [visitors, events, {mean: clicks}, {quantile: clicks, rank: 0.5}, {stddev: clicks}, {rate: clicks, per: visitors}]}
  - {name: weeks, group_by: [week], bounds: {max_partitions: 100, max_per_partition: 3}, statistics: [{share: events}]}`},
	"Unix time and addresses": {`
version: 1
population: browsers
privacy_unit: {ids: [{column: address, from: usage, kind: ip}]}
columns:
  device: {from: usage, of: person, role: dimension, values: {p: phone, d: desk}, groups: private}
  hour: {from: usage, of: event, role: dimension, column: at, as: unix_ms, grain: hour, zone: Asia/Kolkata, groups: private}
  at: {from: usage, role: time, as: unix_ms, zone: Asia/Kolkata}
  paid: {from: usage, role: value, sum_clamp: [-2.5, 0.25], resolution: 0.25}
exclude:
  consent: {from: usage, column: device, allow: ["p"]}
  retention: {days: 3}
min_people: {k: 30, declared: noisy}`, `
period: {from: 2026-03-16, to: 2026-03-18}
spend: {epsilon: "0.01", delta: "0"}
tables:
  - {name: all, group_by: [], statistics: [visitors, {sum: paid}]}`},
	"generalised texts": {`
version: 1
population: browsers
privacy_unit: {ids: [{column: id, from: usage, kind: opaque}]}
columns:
  area: {from: usage, of: person, role: dimension, column: postcode, as: prefix, length: 3, groups: private}
  country: {from: usage, of: person, role: dimension, column: phone, as: phone_country, groups: private}
  tag: {from: usage, of: event, role: dimension, split: "|", groups: private}
  interest: {from: usage, of: event, role: dimension, column: "interests[]", groups: private}
  score: {from: usage, of: event, role: dimension, step: 10, range: [0, 30]}
  carrier: {from: usage, of: person, role: dimension, column: mobile, as: phone, lookup: {file: carriers, by: prefix}}
  place: {from: usage, of: person, role: dimension, column: origin, lookup: {file: countries, by: network}}
  network: {from: usage, of: event, role: dimension, column: address, as: ip_network, bits: {v4: 8}, groups: private}
  wide: {from: usage, of: person, role: dimension, column: postcode, as: prefix, length: 2, groups: private}
  net: {from: usage, of: event, role: dimension, column: address, as: ip_network, bits: {v4: 4}, groups: private}
  site: {from: usage, of: event, role: dimension, column: referrer, as: registrable_domain, groups: private}
min_people: {k: 1}`, `
period: all
spend: {epsilon: "1", delta: "1e-6"}
tables:
  - {name: areas, group_by: [area], statistics: [visitors], roll_up: {area: [wide]}}
  - {name: countries, group_by: [country], statistics: [visitors]}
  - {name: carriers, group_by: [carrier, place], statistics: [visitors]}
  - {name: tags, group_by: [tag, country], bounds: {max_partitions: 3, max_per_partition: 2}, statistics: [visitors, events, {share: events}]}
  - {name: interests, group_by: [interest], bounds: {max_partitions: 2, max_per_partition: 2}, statistics: [visitors, events]}
  - {name: sites, group_by: [site, network, score], bounds: {max_partitions: 2, max_per_partition: 3}, statistics: [visitors, events], roll_up: {network: [net]}}`},
}

func TestOddPoliciesKeepTheirClaims(t *testing.T) {
	apart(t)
	for name, texts := range odd {
		t.Run(name, func(t *testing.T) {
			p, err := aggregate.ParsePolicy("policy", []byte(texts[0]+policyEnd))
			require.NoError(t, err)
			for _, c := range p.Columns {
				if c.Lookup != nil {
					c.Lookup.Table = tables[c.Lookup.File]
				}
			}
			r, err := aggregate.ParseRelease("release", []byte(releaseStart+texts[1]))
			require.NoError(t, err)
			if _, err := aggregate.NewPlan(p, r); !assert.NoError(t, err) {
				return
			}
			report := audited(t, p, r)
			assert.Empty(t, report.Unseen, "every draw was reached")
		})
	}
}

func TestRunRefusesWhatItCannotUse(t *testing.T) {
	p, r := load(t, demo)
	for _, o := range []audit.Options{{Samples: -1}, {Samples: 1 << 40}, {Alpha: -1}, {Alpha: 0.5}} {
		_, err := audit.Run(t.Context(), p, r, o)
		assert.ErrorContains(t, err, "want", "%+v", o)
	}
	_, err := audit.Run(t.Context(), p, nil, audit.Options{})
	assert.ErrorIs(t, err, aggregate.ErrSpec)
	bad := *r
	bad.Tables = nil
	_, err = audit.Run(t.Context(), p, &bad, audit.Options{})
	assert.ErrorIs(t, err, aggregate.ErrSpec)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = audit.Run(ctx, p, r, audit.Options{})
	assert.ErrorIs(t, err, context.Canceled)
}
