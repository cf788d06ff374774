// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
)

// question is a table: what throng is asked, and what DuckDB and Beam are asked in their words.
type question struct {
	name    string
	groupBy []string
	bounds  string
	stats   string
	// sampled is true where people are in more groups than count, so that each side draws its own.
	sampled bool
	// sql has FROM for the table function. It says what throng says without noise.
	sql string
}

var (
	gender = question{
		name: "gender", groupBy: []string{"gender"}, bounds: "{max_partitions: 1}",
		stats: "visitors, {share: visitors}",
		sql: `select gender, count(*) as visitors
from (select distinct hash(user_id), gender from FROM) group by gender`,
	}
	genderCountry = question{
		name: "gender_country", groupBy: []string{"gender", "country"}, bounds: "{max_partitions: 3, max_per_partition: 5}",
		stats: "visitors, events, {sum: seconds}",
		sql: `with p as materialized (
  select hash(user_id) u, gender, country, count(*)::int n, sum(greatest(least(seconds, 600), 0))::int s
  from FROM group by all),
many as (select u from p group by u having count(*) > 3),
kept as (
  select gender, country, least(n, 5) e, s * least(n, 5) / n s from p anti join many using (u)
  union all
  select gender, country, least(n, 5) e, s * least(n, 5) / n s from p semi join many using (u)
  qualify row_number() over (partition by u order by hash(gender, country, u)) <= 3)
select gender, country, count(*) as visitors, sum(e) as events, sum(s) as sum_seconds
from kept group by gender, country having count(*) >= 20`,
	}
	countryPageDay = question{
		name: "country_page_day", groupBy: []string{"country", "page", "day"}, bounds: "{max_partitions: 3, max_per_partition: 5}",
		stats: "visitors, events, {sum: seconds}", sampled: true,
		sql: `with p as materialized (
  select hash(user_id) u, country, page, (epoch_us(ts) // 86400000000)::int as day,
    count(*)::int n, sum(greatest(least(seconds, 600), 0))::int s
  from FROM group by all),
third as (select u, min(hash(country, page, day, u), 3)[3] t from p group by u having count(*) > 3),
kept as (
  select country, page, day, least(n, 5) e, s * least(n, 5) / n s from p left join third using (u)
  where t is null or hash(country, page, day, u) <= t)
select country, page, (date '1970-01-01' + day)::varchar as day,
  count(*) as visitors, sum(e) as events, sum(s) as sum_seconds
from kept group by country, page, day having count(*) >= 20`,
	}
)

// from is how DuckDB reads a file of a format fastest.
func from(format, path string) string {
	path = strings.ReplaceAll(path, "'", "''")
	switch format {
	case "csv":
		return "read_csv('" + path + "', auto_detect = false, header = true, delim = ',', quote = '', escape = '',\n" +
			"    columns = {user_id: 'varchar', ts: 'varchar', gender: 'varchar', country: 'varchar', page: 'varchar',\n" +
			"      seconds: 'varchar', consent: 'varchar', born: 'varchar'})"
	case "ndjson":
		return "read_json('" + path + "', format = 'newline_delimited', columns = {user_id: 'varchar', gender: 'varchar'})"
	}
	return "read_parquet('" + path + "')"
}

// policy is the data owner's file. Person makes gender the person's, in the input that is named; rules
// leave people out.
func policy(person string, rules bool) string {
	gender, ids := "{from: usage, of: event, role: dimension, groups: private}", "{column: user_id, kind: opaque, from: usage}"
	if person != "" {
		gender = "{from: " + person + ", of: person, role: dimension, groups: private}"
	}
	if person == "visitors" {
		ids += ", {column: user_id, kind: opaque, from: visitors}"
	}
	exclude := ""
	if rules {
		exclude = `exclude:
  consent: {from: usage, column: consent, allow: ["yes"]}
  under_age: {from: usage, column: born, as: birth_year, below: 16}
`
	}
	return `version: 1
population: people
privacy_unit:
  ids: [` + ids + `]
columns:
  gender: ` + gender + `
  country: {from: usage, of: event, role: dimension, groups: private}
  page: {from: usage, of: event, role: dimension, groups: private}
  day: {from: usage, of: event, role: dimension, column: ts, as: unix_ms, grain: day, groups: private}
  seconds: {from: usage, role: value, clamp: [0, 600], unit: s}
` + exclude + `min_people: {k: 20}
budget: {epsilon: "1", delta: "1e-9"}
recipients:
  partner: {purposes: [benchmark]}
`
}

// release asks for one table per question.
func release(questions ...question) string {
	out := `version: 1
name: benchmark
snapshot: one
recipient: partner
purpose: benchmark
period: all
as_of: 2026-03-16
spend: {epsilon: "1", delta: "1e-9"}
tables:
`
	for _, q := range questions {
		out += fmt.Sprintf("  - {name: %s, group_by: [%s], bounds: %s, statistics: [%s]}\n",
			q.name, strings.Join(q.groupBy, ", "), q.bounds, q.stats)
	}
	return out
}

// measure is one line of the report, or two.
type measure struct {
	name      string
	format    string
	questions []question
	policy    string
	visitors  bool // joined in
	// sql is true where DuckDB is asked, and beam where Privacy on Beam is.
	sql, beam bool
	// against is throng again, asked otherwise.
	against *variant
}

type variant struct {
	name      string
	questions []question
	policy    string
	one       bool // on one processor
}

func measures() []measure {
	events := policy("", false)
	country := question{name: "country", groupBy: []string{"country"}, bounds: genderCountry.bounds, stats: genderCountry.stats}
	page := question{name: "page", groupBy: []string{"page"}, bounds: genderCountry.bounds, stats: genderCountry.stats}
	ask := func(q question) []question { return []question{q} }
	return []measure{
		{name: "gender", format: "parquet", questions: ask(gender), policy: events, sql: true, beam: true},
		{name: "gender_country", format: "parquet", questions: ask(genderCountry), policy: events, sql: true, beam: true},
		{name: "country_page_day", format: "parquet", questions: ask(countryPageDay), policy: events, sql: true, beam: true},
		{name: "csv_gender", format: "csv", questions: ask(gender), policy: events, sql: true},
		{name: "ndjson_gender", format: "ndjson", questions: ask(gender), policy: events, sql: true},
		{name: "five_tables", format: "parquet", policy: events,
			questions: []question{gender, country, page, genderCountry, countryPageDay},
			against:   &variant{name: "slowest_table", questions: ask(countryPageDay), policy: events}},
		{name: "joined", format: "parquet", questions: ask(gender), policy: policy("visitors", false), visitors: true,
			against: &variant{name: "inline", questions: ask(gender), policy: policy("usage", false)}},
		{name: "rules", format: "parquet", questions: ask(genderCountry), policy: policy("", true),
			against: &variant{name: "no_rules", questions: ask(genderCountry), policy: events}},
		{name: "workers", format: "parquet", questions: ask(genderCountry), policy: events,
			against: &variant{name: "1_worker", questions: ask(genderCountry), policy: events, one: true}},
	}
}

func measureNames() (out []string) {
	for _, m := range measures() {
		out = append(out, m.name)
	}
	return slices.Clip(out)
}
