// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/fileio"
	"github.com/throngdp/throng/aggregate/internal/strictyaml"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
	robot   = "Googlebot/2.1 (+http://www.google.com/bot.html)"
	// presetPeople is how many people a fixture has. Each has three records, the last of them after the period.
	presetPeople = 200
)

// presetCase is a preset with what its source looks like.
type presetCase struct {
	file string
	// head stands before the records, and record is record j of person i at a time.
	head   string
	record func(i, j int, at time.Time) string
	// others are records that must not count: of robots, of people who did not consent, and no records at all.
	others string
	// change is what a person adds to the policy.
	change string
	// want is the number of people in groups of dimensions; those of events end with a star.
	want map[string]map[string]float64
}

// half is a different text for every second person.
func half(i int, even, odd string) string { return []string{even, odd}[i%2] }

// halves expects a hundred people in each of two groups.
func halves(a, b string) map[string]float64 { return map[string]float64{a: 100, b: 100} }

func ndjson(lines ...string) string { return strings.Join(lines, "\n") + "\n" }

var presetCases = map[string]presetCase{
	"ga4": {
		file: "events_20260316.ndjson",
		record: func(i, j int, at time.Time) string {
			user := fmt.Sprintf(`"user_id":"u%d","user_pseudo_id":"%d.%d"`, i, j, i)
			if i < 100 {
				user = fmt.Sprintf(`"user_id":null,"user_pseudo_id":"p%d"`, i)
			}
			return fmt.Sprintf(`{"event_date":"%s","event_timestamp":"%d","event_name":"%s",%s,"event_params":[{"key":"page_location","value":{"string_value":"https://site.example/%d"}}],`+
				`"privacy_info":{"analytics_storage":"Yes"},"geo":{"country":"%s","region":"R","city":"C"},"device":{"category":"mobile","web_info":{"browser":"Chrome"}},"platform":"WEB","traffic_source":{"source":"%s"}}`,
				at.Format("20060102"), at.UnixMicro(), []string{"page_view", "scroll", "page_view"}[j], user, i, half(i, "Norway", "Chile"), half(i/2, "direct", "mail"))
		},
		others: ndjson(`{"event_timestamp":"1773655200000000","event_name":"page_view","user_pseudo_id":"no","privacy_info":{"analytics_storage":"No"}}`,
			`{"event_timestamp":"1773655200000000","event_name":"page_view","user_pseudo_id":"unsaid","privacy_info":{"analytics_storage":null}}`,
			`{"event_timestamp":"1773655200000000","event_name":"page_view","user_pseudo_id":null,"privacy_info":{"analytics_storage":"Yes"}}`, `{"event`),
		want: map[string]map[string]float64{
			"country": halves("Norway", "Chile"), "source": halves("direct", "mail"), "event*": {"page_view": 200, "scroll": 200},
			"device*": {"mobile": 200, "tablet": 0}, "platform*": {"WEB": 200}, "browser*": {"Chrome": 200}, "city": {"C": 200}, "region": {"R": 200},
		},
	},
	"snowplow": {
		file: "events.tsv",
		head: "app_id\tderived_tstamp\tevent\tevent_id\tuser_id\tdomain_userid\tnetwork_userid\tuser_ipaddress\tgeo_country\tgeo_region\tgeo_city\tpage_urlpath\tpage_referrer\tuseragent\n",
		record: func(i, j int, at time.Time) string {
			return fmt.Sprintf("shop\t%s\tpage_view\te%d-%d\t\td%d\tn%d\t192.0.2.1\t%s\t03\tOslo\t%s\thttps://www.example.org/?q=%d\t%s",
				at.Format("2006-01-02 15:04:05.000"), i, j, i, j, half(i, "NO", "CL"), half(i+j, "/a", "/b"), i, firefox)
		},
		others: "shop\t2026-03-16 10:00:00\tpage_view\tx\t\trobot\t\t\t\t\t\t/a\t\t" + robot + "\nshort\n",
		want: map[string]map[string]float64{
			"country": halves("NO", "CL"), "page*": {"/a": 200, "/b": 200}, "app*": {"shop": 200}, "event*": {"page_view": 200},
			"referrer*": {"example.org": 200}, "browser*": {"firefox": 200, "bot": 0}, "device*": {"desktop": 200}, "region": {"03": 200}, "city": {"Oslo": 200},
		},
	},
	"segment": {
		file: "calls.ndjson",
		record: func(i, j int, at time.Time) string {
			call := []string{"identify", "track", "page"}[j]
			traits := ""
			if call == "identify" {
				traits = fmt.Sprintf(`,"traits":{"email":"p%d@example.org","gender":"%s","age":%d,"address":{"country":"Chile"}}`, i, half(i, "Female", "male"), 20+i%2*20)
			}
			return fmt.Sprintf(`{"type":"%s","messageId":"m%d-%d","userId":"u%d","anonymousId":"a%d","timestamp":"%s","event":"Bought","context":{"ip":"192.0.2.1","userAgent":"%s","page":{"path":"/x","referrer":"https://mail.example.com/"}}%s}`,
				call, i, j, i, j, at.Format(time.RFC3339Nano), firefox, traits)
		},
		others: ndjson(`{"type":"track","userId":"robot","timestamp":"2026-03-16T10:00:00Z","context":{"userAgent":"`+robot+`"}}`, "[]", `{"type":"track","timestamp":"2026-03-16T10:00:00Z"}`),
		want: map[string]map[string]float64{
			"gender": halves("female", "male"), "age": halves("18-24", "35-44"), "country": {"Chile": 200}, "call*": {"identify": 200, "track": 200, "page": 0},
			"event*": {"Bought": 200}, "page*": {"/x": 200}, "referrer*": {"example.com": 200}, "browser*": {"firefox": 200}, "device*": {"desktop": 200},
		},
	},
	"matomo": {
		file: "log_visit.csv",
		head: "idvisit,idsite,idvisitor,user_id,visit_first_action_time,visit_last_action_time,location_ip,location_country,location_region,location_city,config_browser_name,visit_total_actions,visit_total_time\n",
		record: func(i, j int, at time.Time) string {
			return fmt.Sprintf("%d,1,%016x,,%s,%s,c0000201,%s,03,Oslo,FF,4,60", i*3+j, i+1, at.Format(time.DateTime), at.Format(time.DateTime), half(i, "no", "cl"))
		},
		others: "1,1,,,2026-03-16 10:00:00,,,,,,,,\n",
		want: map[string]map[string]float64{
			"country": halves("no", "cl"), "site*": {"1": 200}, "browser*": {"FF": 200}, "region": {"03": 200}, "city": {"Oslo": 200}, "actions=4": {"": 1600}, "seconds=60": {"": 24_000},
		},
	},
	"adobe": {
		file: "hit_data.tsv",
		record: func(i, j int, at time.Time) string {
			return fmt.Sprintf("%d\t%d\t%s\t%d\t%d\t0\tHome\tno\t%s\tOslo\thttps://a.example.co.uk/x\t%s",
				at.Unix(), 1_000_000+i, half(i, fmt.Sprint("mc", i), ""), i, i, half(i, "03", "50"), firefox)
		},
		others: "1773655200\t5\tinternal\t1\t1\t1\tHome\tno\t03\tOslo\t\t" + firefox + "\n1773655200\t6\trobot\t1\t1\t0\tHome\tno\t03\tOslo\t\t" + robot + "\n1\t2\n",
		change: "inputs: {usage: {columns: [hit_time_gmt, post_visid_high, mcvisid, post_visid_low, hitid_low, exclude_hit, post_pagename, geo_country, geo_region, geo_city, post_referrer, user_agent]}}",
		want: map[string]map[string]float64{
			"region": halves("03", "50"), "page*": {"Home": 200}, "country": {"no": 200}, "city": {"Oslo": 200}, "referrer*": {"example.co.uk": 200},
			"browser*": {"firefox": 200}, "device*": {"desktop": 200},
		},
	},
	"w3c": {
		file: "u_ex260316.log",
		head: "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: 2026-03-16 00:00:00\r\n" +
			"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query cs-username c-ip cs(User-Agent) cs(Referer) sc-status time-taken\r\n",
		record: func(i, j int, at time.Time) string {
			line := fmt.Sprintf("%s 10.0.0.1 GET /%s q=%d %s 192.0.2.%d %s https://www.example.org/ 200 30\r",
				at.Format("2006-01-02 15:04:05"), half(j, "a", "b"), i, half(i, `CORP\u`+fmt.Sprint(i), "-"), i, strings.ReplaceAll(firefox, " ", "+"))
			if i == 100 && j == 0 { // the server is started anew
				line += "\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status time-taken\r"
			}
			if i > 100 || i == 100 && j > 0 {
				line = strings.Replace(line, fmt.Sprintf(" q=%d ", i), fmt.Sprintf(" q=%d 443 ", i), 1)
			}
			return line
		},
		others: "2026-03-16 10:00:00 10.0.0.1 GET / - 443 - 198.51.100.1 " + strings.ReplaceAll(robot, " ", "+") + " - 200 1\r\n2026-03-16 cut\r\n",
		want: map[string]map[string]float64{
			"page*": {"/a": 200, "/b": 200}, "method*": {"GET": 200, "POST": 0}, "status*": {"200": 200}, "browser*": {"firefox": 200}, "device*": {"desktop": 200},
			"referrer*": {"example.org": 200}, "milliseconds=30": {"": 12_000},
		},
	},
	"cloudfront": {
		file: "E2.2026-03-16-10.log",
		head: "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query x-host-header\n",
		record: func(i, j int, at time.Time) string {
			return fmt.Sprintf("%s\t%s\t%s\t500\t2001:db8::%x\tGET\td.cloudfront.net\t/%s\t200\thttps://www.example.org/\t%s\t-\twww.site.example",
				at.Format("2006-01-02"), at.Format("15:04:05"), half(i, "OSL50-C1", "SCL51-C1"), i+1, half(j, "a", "b"), strings.ReplaceAll(firefox, " ", "%2520"))
		},
		others: "2026-03-16\t10:00:00\tOSL50-C1\t500\t2001:db8::ffff\tGET\t-\t/\t200\t-\t" + strings.ReplaceAll(robot, " ", "%20") + "\t-\t-\ncut\t\n",
		want: map[string]map[string]float64{
			"edge*": halves("OSL50-C1", "SCL51-C1"), "page*": {"/a": 200, "/b": 200}, "site*": {"www.site.example": 200}, "method*": {"GET": 200},
			"status*": {"200": 200}, "referrer*": {"example.org": 200}, "browser*": {"firefox": 200}, "device*": {"desktop": 200}, "bytes=500": {"": 200_000},
		},
	},
	"combined": {
		file: "access.log",
		record: func(i, j int, at time.Time) string {
			return fmt.Sprintf(`192.0.2.%d - %s [%s] "GET /%s HTTP/1.1" 200 500 "https://www.example.org/" "%s" "%s"`,
				i, half(i, fmt.Sprint("u", i), "-"), at.Format("02/Jan/2006:15:04:05 -0700"), half(j, "a", "b"), firefox, half(i, "-", "0"))
		},
		others: `198.51.100.1 - - [16/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 500 "-" "` + robot + "\" \"-\"\n" +
			`198.51.100.2 - - [16/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 500 "-" "` + firefox + "\" \"1\"\n" +
			`198.51.100.3 - - [16/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1` + "\n",
		change: "exclude: {signals: {from: usage, gpc: extra1, unset: keep}}",
		want: map[string]map[string]float64{
			"page*": {"/a": 200, "/b": 200}, "method*": {"GET": 200}, "status*": {"200": 200}, "referrer*": {"example.org": 200},
			"browser*": {"firefox": 200}, "device*": {"desktop": 200}, "bytes=500": {"": 200_000},
		},
	},
	"bike_share": {
		file: "datos_abiertos_2026_03.csv",
		head: "Viaje_Id,Usuario_Id,Genero,Año_de_nacimiento,Inicio_del_viaje,Fin_del_viaje,Origen_Id,Destino_Id\n",
		record: func(i, j int, at time.Time) string {
			mexico := at.Add(-6 * time.Hour).Format(time.DateTime)
			return fmt.Sprintf("%d,%d,%s,%s,%s,%s,%d,%d", i*3+j, i+1, half(i, "F", "M"), half(i, "1984.0", "2003"), mexico, mexico, j, 7)
		},
		others: "1,,F,1984,2026-03-16 10:00:00,2026-03-16 10:00:00,1,2\n1,2\n",
		want: map[string]map[string]float64{
			"gender": halves("female", "male"), "age": halves("35-44", "18-24"), "start_station*": {"0": 200, "1": 200}, "end_station*": {"7": 200}, "month*": {"2026-03": 200},
		},
	},
}

// fixture writes the file of a case.
func (c presetCase) fixture(t *testing.T) table.Source {
	t.Helper()
	var b strings.Builder
	b.WriteString(c.head)
	for i := range presetPeople {
		for j := range 3 {
			at := time.Date(2026, 3, 16, 10, 0, i, 0, time.UTC).AddDate(0, 0, j*j*4) // the 16th, the 20th and the 1st
			b.WriteString(c.record(i, j, at) + "\n")
		}
	}
	b.WriteString(c.others)
	path := filepath.Join(t.TempDir(), c.file)
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	return openedFile(t, path, fileio.Options{})
}

func openedFile(t *testing.T, path string, opts fileio.Options) table.Source {
	t.Helper()
	src, err := fileio.Open(t.Context(), []string{path}, opts)
	require.NoError(t, err)
	return src
}

// ownPart is what no preset says.
const ownPart = `
version: 1
population: site
min_people: {k: 5}
budget: {epsilon: "20", delta: "0.009"}
recipients: {team: {purposes: [statistics]}}
`

func TestEachPresetReadsWhatItsSourceWrites(t *testing.T) {
	var names []string
	for name, c := range presetCases {
		names = append(names, name)
		t.Run(name, func(t *testing.T) {
			p, err := aggregate.ParsePolicy("policy.yaml", []byte(ownPart+"from: "+name+"\n"+c.change+"\n"))
			require.NoError(t, err)
			assert.Equal(t, name, p.From)
			release := "version: 1\nname: preset\nsnapshot: s1\nrecipient: team\npurpose: statistics\nperiod: {from: 2026-03-16, to: 2026-03-23}\n" +
				"spend: {epsilon: \"20\", delta: \"0.001\"}\ntables:\n  - {name: everyone, bounds: {max_per_partition: 10}, statistics: [visitors, events]}\n"
			var dimensions []string
			for what := range c.want {
				dimension, isEvent := strings.CutSuffix(what, "*")
				if value, _, ok := strings.Cut(what, "="); ok {
					release += fmt.Sprintf("  - {name: %s, bounds: {max_per_partition: 10}, statistics: [{sum: %s}]}\n", value, value)
					dimensions = append(dimensions, value)
					continue
				}
				bounds := ""
				if isEvent {
					bounds = ", bounds: {max_partitions: 3}"
				}
				release += fmt.Sprintf("  - {name: %s, group_by: [%s]%s, statistics: [visitors]}\n", dimension, dimension, bounds)
				dimensions = append(dimensions, dimension)
			}
			r, err := aggregate.ParseRelease("release.yaml", []byte(release))
			require.NoError(t, err)
			for column, col := range p.Columns {
				assert.True(t, col.Role == aggregate.TimeRole || slices.Contains(dimensions, column), "no case reads the column %s", column)
			}
			in := aggregate.Inputs{Usage: []table.Source{c.source(t, p.Inputs.Usage)}}
			res, err := aggregate.Run(under(t, mechanismtest.New(mechanismtest.Zero)), p, r, in)
			require.NoError(t, err)
			assert.Equal(t, 200.0, value(t, res, "everyone", "visitors"))
			assert.Equal(t, 400.0, value(t, res, "everyone", "events"))
			for what, groups := range c.want {
				dimension, statistic := strings.TrimSuffix(what, "*"), "visitors"
				if v, _, ok := strings.Cut(what, "="); ok {
					dimension, statistic = v, "sum_"+v
				}
				for group, want := range groups {
					var at []string
					if group != "" {
						at = []string{group}
					}
					got := value(t, res, dimension, statistic, at...)
					if want == 0 {
						assert.LessOrEqual(t, got, 0.0, "%s %s", what, group)
						continue
					}
					assert.Equal(t, want, got, "%s %s", what, group)
				}
			}
			assert.Equal(t, name, res.Plan.Preset)
			assert.Contains(t, res.Plan.String(), "preset         "+name+", with what the policy changes in it")
			assert.Contains(t, files(t, res)["release.json"], `"preset": "`+name+`"`)
		})
	}
	files, err := filepath.Glob("presets/*.yaml")
	require.NoError(t, err)
	assert.Len(t, names, len(files), "each preset has a case")
}

// source opens the fixture as the policy says.
func (c presetCase) source(t *testing.T, f aggregate.Format) table.Source {
	t.Helper()
	src := c.fixture(t)
	if f.Format == "" && len(f.Columns) == 0 {
		return src
	}
	return openedFile(t, src.Name(), fileio.Options{Format: f.Format, NoHeader: len(f.Columns) > 0, Columns: f.Columns, Encoding: f.Encoding})
}

// TestPresetsSayOnlyWhatASourceHas: budgets, minimums and recipients are the owner's to say.
func TestPresetsSayOnlyWhatASourceHas(t *testing.T) {
	paths, err := filepath.Glob("presets/*.yaml")
	require.NoError(t, err)
	require.Len(t, paths, 9)
	for _, path := range paths {
		src, err := os.ReadFile(path)
		require.NoError(t, err)
		root, faults := strictyaml.Parse(src)
		require.Empty(t, faults, path)
		for _, e := range root.Entries {
			assert.Contains(t, []string{"privacy_unit", "inputs", "columns", "exclude"}, e.Key, path)
		}
		// Alone it lacks exactly what the owner has to say.
		p, err := aggregate.ParsePolicy("policy.yaml", src)
		require.NoError(t, err)
		_, err = aggregate.NewPlan(p, &aggregate.Release{})
		for _, fault := range aggregate.Faults(err) {
			var fe *aggregate.FieldError
			require.ErrorAs(t, fault, &fe)
			assert.Contains(t, []string{"policy.version", "policy.population", "policy.min_people.k", "policy.budget.epsilon",
				"policy.budget.delta", "policy.recipients"}, fe.Path, path)
		}
		assert.Len(t, aggregate.Faults(err), 6, path)
	}
}

func TestAPolicyIsLaidOverItsPreset(t *testing.T) {
	base, err := aggregate.ParsePolicy("p", []byte("from: segment"))
	require.NoError(t, err)
	require.Len(t, base.Columns, 10)
	p, err := aggregate.ParsePolicy("p", []byte(`
from: segment
privacy_unit: {ids: [{column: userId, kind: email}]}
columns:
  gender: {column: context.traits.gender, values: {f: female, Male: man}}
  age: {bands: [13, 18]}
  country: none
  shop: {from: usage, of: event, role: dimension, column: properties.shop, groups: private, otherwise: none}
exclude: {bots: none, consent: {from: usage, column: ok, allow: ["yes"]}}
`))
	require.NoError(t, err)
	want := *base
	assert.Equal(t, []aggregate.IDColumn{{Column: "userId", Kind: "email"}}, p.PrivacyUnit.IDs, "a list is replaced")
	assert.Equal(t, want.Inputs, p.Inputs, "what is not written stays")
	assert.NotContains(t, p.Columns, "country", "none takes a column out")
	assert.Equal(t, aggregate.Column{From: "usage", Of: "event", Role: "dimension", Column: "properties.shop",
		Groups: aggregate.Groups{Private: true}, Otherwise: "none"}, p.Columns["shop"], "a column is added")
	gender := want.Columns["gender"]
	assert.Equal(t, gender.Groups, p.Columns["gender"].Groups)
	assert.Equal(t, "context.traits.gender", p.Columns["gender"].Column)
	assert.Equal(t, map[string]string{"f": "female", "Male": "man", "female": "female", "FEMALE": "female", "Female": "female",
		"male": "male", "MALE": "male", "other": "other", "Other": "other", "OTHER": "other"}, p.Columns["gender"].Values, "mappings are merged by key")
	assert.Equal(t, []int64{13, 18}, p.Columns["age"].Bands)
	assert.Equal(t, "age", p.Columns["age"].As)
	assert.Nil(t, p.Exclude.Bots)
	require.NotNil(t, p.Exclude.Consent)
	assert.Equal(t, want.Columns["event"], p.Columns["event"])

	p, err = aggregate.ParsePolicy("p", []byte("from: segment\nexclude: none"))
	require.NoError(t, err)
	assert.Zero(t, p.Exclude)
}

func TestFaultsSayWhetherTheFileOrThePresetIsMeant(t *testing.T) {
	for policy, want := range map[string]string{
		"from: segmant":            `policy.yaml:1: policy.from: got "segmant", want one of adobe, bike_share, cloudfront, combined, ga4, matomo, segment, snowplow, w3c; did you mean segment?`,
		"from: ../presets/segment": `policy.yaml:1: policy.from: got "../presets/segment", want one of adobe, bike_share, cloudfront, combined, ga4, matomo, segment, snowplow, w3c; write one of them`,
		"from: [segment]":          "policy.yaml:1: policy.from: got a list, want one of adobe, bike_share, cloudfront, combined, ga4, matomo, segment, snowplow, w3c; write one of them",
		"from: segment\ncolumns:\n  gender: {role: value, clamp: [0, 1]}": "preset segment:17: policy.columns.gender.of: got of on a column with role: value, want nothing here; remove it",
		"from: segment\ncolumns:\n  page:\n    grain: {a: 1}":             "policy.yaml:4: policy.columns.page.grain: got a mapping, want text; write one value; quote it where it holds special characters",
		"from: segment\ncolumns: {countri: none}":                         "policy.yaml:2: policy.columns.countri: got a single value, want a mapping; write \"key: value\" lines",
		"from: segment\ncolumns: {country: \"none\"}":                     "policy.yaml:2: policy.columns.country: got a single value, want a mapping; write \"key: value\" lines",
		"from: segment\ncolumns:":                                         "policy.yaml:2: policy.columns: got nothing, want a mapping; write \"key: value\" lines",
		"from: segment\nprivacy_unit: none":                               "policy.yaml:1: policy.privacy_unit.ids: got nothing, want at least one column",
	} {
		p, err := aggregate.ParsePolicy("policy.yaml", []byte(strings.TrimSpace(ownPart[1:])+"\n"+policy))
		if err == nil {
			_, err = aggregate.NewPlan(p, &aggregate.Release{})
		}
		require.Error(t, err, policy)
		// The policy's own part stands on the five lines before.
		want = strings.NewReplacer("policy.yaml:1: policy.privacy_unit", "policy.yaml:1: policy.privacy_unit", "policy.yaml:1:", "policy.yaml:6:", "policy.yaml:2:", "policy.yaml:7:", "policy.yaml:4:", "policy.yaml:9:").Replace(want)
		assert.Contains(t, err.Error(), want)
	}
	_, err := aggregate.NewPlan(&aggregate.Policy{From: "none of ours"}, &aggregate.Release{})
	assert.ErrorContains(t, err, `policy.from: got "none of ours", want one of adobe,`)
}
