// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"strings"
	"time"
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
			return fmt.Sprintf(`{"event_date":"%s","event_timestamp":"%d","event_name":"%s",%s,"event_params":[{"key":"ga_session_id","value":{"int_value":"%d"}},{"key":"page_location","value":{"string_value":"https://www.example.net/%d"}},`+
				`{"key":"page_referrer","value":{"string_value":"https://mail.example.org/?q=%d"}}],"user_properties":[{"key":"gender","value":{"string_value":"%s"}}],`+
				`"privacy_info":{"analytics_storage":"Yes"},"geo":{"country":"%s","region":"R","city":"C"},"device":{"category":"mobile","web_info":{"browser":"Chrome"}},"platform":"WEB","traffic_source":{"source":"%s"}}`,
				at.Format("20060102"), at.UnixMicro(), []string{"page_view", "scroll", "page_view"}[j], user, i*j, i, i, half(i, "f", "m"), half(i, "Norway", "Chile"), half(i/2, "direct", "mail"))
		},
		others: ndjson(`{"event_timestamp":"1773655200000000","event_name":"page_view","user_pseudo_id":"no","privacy_info":{"analytics_storage":"No"}}`,
			`{"event_timestamp":"1773655200000000","event_name":"page_view","user_pseudo_id":"unsaid","privacy_info":{"analytics_storage":null}}`,
			`{"event_timestamp":"1773655200000000","event_name":"page_view","user_pseudo_id":null,"privacy_info":{"analytics_storage":"Yes"}}`, `{"event`),
		change: `columns: {gender: {from: usage, of: person, role: dimension, column: "user_properties[gender]", values: {f: female, m: male}}}`,
		want: map[string]map[string]float64{
			"gender": halves("female", "male"), "site*": {"example.net": 200}, "referrer*": {"example.org": 200},
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
