// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/arrowio"
	"github.com/throngdp/throng/aggregate/ndjsonio"
	"github.com/throngdp/throng/aggregate/parquetio"
	"github.com/throngdp/throng/aggregate/structio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// tagged is a record with a list and with a list of keys and values, as structs and Parquet hold it.
type tagged struct {
	ID     string       `json:"id" parquet:"id" throng:"id"`
	Tags   []string     `json:"tags" parquet:"tags,list" throng:"tags"`
	Params []taggedPair `json:"params" parquet:"params,list"`
	Page   string       `json:"-" parquet:"-" throng:"page"`
}

type taggedPair struct {
	Key   string `json:"key" parquet:"key"`
	Value struct {
		Text string `json:"string_value" parquet:"string_value"`
	} `json:"value" parquet:"value"`
}

// taggedRecords has lists that are missing, that have one label twice, blanks, and more labels than count.
func taggedRecords() []tagged {
	records := make([]tagged, 900)
	for i := range records {
		r := tagged{ID: fmt.Sprintf("p%d", i/3), Page: []string{"https://www.example.org/a", "https://shop.example.net/?q=" + fmt.Sprint(i)}[i%2]}
		for j := range i % 5 {
			r.Tags = append(r.Tags, fmt.Sprintf("tag%d", (i+j)%6))
		}
		switch {
		case i%20 == 3:
			r.Tags = append(r.Tags, "", " ", r.Tags[0])
		case i%300 == 7:
			for j := range 1500 {
				r.Tags = append(r.Tags, fmt.Sprintf("many%d", j), "tag0")
			}
		}
		for _, kv := range [][2]string{{"session", fmt.Sprint(i)}, {"page", r.Page}, {"page", "https://www.never.example.com/"}} {
			p := taggedPair{Key: kv[0]}
			p.Value.Text = kv[1]
			r.Params = append(r.Params, p)
		}
		records[i] = r
	}
	return records
}

// taggedSources are the records in each format. The first alone has texts in place of lists.
func taggedSources(t *testing.T, records []tagged) map[string]table.Source {
	t.Helper()
	var text, lines bytes.Buffer
	w := csv.NewWriter(&text)
	require.NoError(t, w.Write([]string{"id", "tags", "page"}))
	for _, r := range records {
		require.NoError(t, w.Write([]string{r.ID, strings.Join(r.Tags, "|"), r.Page}))
		line, err := json.Marshal(r)
		require.NoError(t, err)
		lines.Write(append(line, '\n'))
	}
	w.Flush()
	sources := map[string]table.Source{"csv": csvBytes(t, text.Bytes())}
	var err error
	sources["ndjson"], err = ndjsonio.New("rows.ndjson", reopen(lines.Bytes()), ndjsonio.Options{})
	require.NoError(t, err)
	for name, options := range map[string][]parquet.WriterOption{
		"parquet": {parquet.MaxRowsPerRowGroup(400)}, "parquet of dictionaries": {parquet.DefaultEncoding(&parquet.RLEDictionary), parquet.PageBufferSize(2000)},
	} {
		var out bytes.Buffer
		pw := parquet.NewGenericWriter[tagged](&out, options...)
		_, err := pw.Write(records)
		require.NoError(t, err)
		require.NoError(t, pw.Close())
		sources[name], err = parquetio.New("rows.parquet", bytes.NewReader(out.Bytes()), int64(out.Len()), parquetio.Options{})
		require.NoError(t, err)
	}
	schema, batch := taggedRecord(t, records)
	sources["arrow"], err = arrowio.NewRecords("rows", schema, func() iter.Seq2[arrow.Record, error] {
		return func(yield func(arrow.Record, error) bool) { yield(batch, nil) }
	})
	require.NoError(t, err)
	var file bytes.Buffer
	fw := ipc.NewWriter(&file, ipc.WithSchema(schema))
	require.NoError(t, fw.Write(batch))
	require.NoError(t, fw.Close())
	sources["arrow stream"] = arrowio.NewStream("rows.arrows", reopen(file.Bytes()))
	sources["structs"], err = structio.Slice("rows", records)
	require.NoError(t, err)
	return sources
}

func taggedRecord(t *testing.T, records []tagged) (*arrow.Schema, arrow.Record) {
	t.Helper()
	text := arrow.BinaryTypes.String
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: text}, {Name: "tags", Type: arrow.ListOf(text), Nullable: true}, {Name: "params", Type: arrow.MapOf(text, text)},
	}, nil)
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	for _, r := range records {
		b.Field(0).(*array.StringBuilder).Append(r.ID)
		tags, params := b.Field(1).(*array.ListBuilder), b.Field(2).(*array.MapBuilder)
		tags.Append(r.Tags != nil)
		for _, tag := range r.Tags {
			tags.ValueBuilder().(*array.StringBuilder).Append(tag)
		}
		params.Append(true)
		for _, p := range r.Params {
			params.KeyBuilder().(*array.StringBuilder).Append(p.Key)
			params.ItemBuilder().(*array.StringBuilder).Append(p.Value.Text)
		}
	}
	return schema, b.NewRecord()
}

// TestAttackB13ListsOfAllFormatsAreOneResult: a text that is split, and a list of any format, are the same
// groups, bounded the same, and an address in a list of keys shows its domain alone (I-13).
func TestAttackB13ListsOfAllFormatsAreOneResult(t *testing.T) {
	r := generalisedRelease(t, "group_by: [tag], bounds: {max_partitions: 2, max_per_partition: 3}, statistics: [visitors, events]",
		"group_by: [page], bounds: {max_partitions: 2, max_per_partition: 3}, statistics: [visitors, events]", "statistics: [visitors]")
	var want map[string]string
	sources := taggedSources(t, taggedRecords())
	for _, name := range append([]string{"csv"}, strings.Split("ndjson,parquet,parquet of dictionaries,arrow,arrow stream,structs", ",")...) {
		tag, page := `column: "tags[]"`, `column: "params[page]"`
		switch name {
		case "csv":
			tag, page = `column: tags, split: "|"`, "column: page"
		case "structs":
			page = "column: page"
		}
		p := generalising(t, "  tag: {from: usage, of: event, role: dimension, groups: private, "+tag+"}\n"+
			"  page: {from: usage, of: event, role: dimension, groups: private, as: registrable_domain, "+page+"}")
		res, err := aggregate.Run(under(t, mechanismtest.New(mechanismtest.Zero)), p, r, aggregate.Inputs{Usage: []table.Source{sources[name]}})
		require.NoError(t, err, name)
		got := files(t, res)
		for file := range got {
			if !strings.HasSuffix(file, ".csv") {
				delete(got, file) // the plan names the columns
			}
		}
		for _, text := range []string{"many1", "https", "shop", "q=", "never.example"} {
			absent(t, res, text)
		}
		if want == nil {
			want = got
			assert.Positive(t, value(t, res, "t0", "visitors", "tag3"))
			assert.Positive(t, value(t, res, "t1", "visitors", "example.net"))
			continue
		}
		assert.Equal(t, want, got, name)
	}
	assert.NotEmpty(t, want)
}

func TestFaultsOfLists(t *testing.T) {
	kind := "\n  kind: {from: usage, of: event, role: dimension, groups: private}"
	for column, want := range map[string]string{
		`tag: {from: usage, of: person, role: dimension, groups: private, column: "tags[]"}`:               `policy.columns.tag.column: got "tags[]", want a column with one value in each record; lists are for dimensions of events, without split or other columns`,
		`tag: {from: usage, of: event, role: dimension, groups: private, split: ",", column: "tags[]"}`:    `policy.columns.tag.column: got "tags[]"`,
		`tag: {from: usage, of: event, role: dimension, groups: private, columns: ["tags[].name", other]}`: `policy.columns.tag.column: got "tags[].name"`,
		`at: {from: usage, role: time, as: unix_s, column: "times[]"}`:                                     `policy.columns.at.column: got "times[]"`,
		`paid: {from: usage, role: value, clamp: [0, 1], column: "prices[]"}`:                              `policy.columns.paid.column: got "prices[]"`,
	} {
		_, err := aggregate.NewPlan(generalising(t, "  "+column+kind), generalisedRelease(t, "group_by: [kind], bounds: {max_partitions: 1}, statistics: [visitors]"))
		assert.ErrorContains(t, err, want, column)
	}
	p := generalising(t, `  tag: {from: usage, of: event, role: dimension, groups: private, column: "tags[]"}
  genre: {from: usage, of: event, role: dimension, groups: private, split: ","}
  page: {from: usage, of: person, role: dimension, groups: private, column: "params[page].value"}`)
	r := generalisedRelease(t, "group_by: [tag, genre, page], bounds: {max_partitions: 1}, statistics: [visitors]")
	_, err := aggregate.NewPlan(p, r)
	assert.ErrorContains(t, err, `got "genre" beside tag, both with several values in a cell, want one multi-valued dimension`)
	assert.Len(t, aggregate.Faults(err), 1, "%v", err)
	p.PrivacyUnit.IDs[0].Column = "ids[]"
	p.Exclude.Consent = &aggregate.ConsentRule{From: "usage", Column: "consents[].ok", Allow: []string{"yes"}}
	p.Exclude.Signals = &aggregate.SignalsRule{From: "usage", GPC: "headers[].gpc", DNT: "headers[].dnt", COPPA: "headers[].coppa", Unset: aggregate.KeepUnset}
	p.Exclude.TCF = &aggregate.TCFRule{From: "usage", Column: "tc", Purposes: []int64{8}, Applies: "regs[].gdpr"}
	p.Exclude.UnderAge = &aggregate.UnderAgeRule{From: "usage", Column: "age", As: "age", Below: 13, Unless: &aggregate.Unless{Column: "parents[]", Is: []string{"yes"},
		Given: &aggregate.Given{At: "given[].at", Withdrawn: "given[].end", As: "rfc3339"}}}
	p.Exclude.Consents = &aggregate.ConsentsRule{
		Columns: []aggregate.ListColumn{{Column: "who", ID: "ids[]"}}, Status: "states[]", Allow: []string{"yes"}, At: "times[]", As: "rfc3339",
		Purpose: "uses[]", Purposes: map[string][]string{"statistics": {"x"}},
	}
	_, err = aggregate.NewPlan(p, r)
	for _, path := range []string{
		"signals.gpc", "signals.dnt", "signals.coppa", "tcf.applies", "under_age.unless.column", "under_age.unless.given.at", "under_age.unless.given.withdrawn", "consents.status", "consents.at", "consents.purpose",
	} {
		assert.ErrorContains(t, err, "policy.exclude."+path+": got ")
	}
	for _, want := range []string{
		`policy.privacy_unit.ids[0].column: got "ids[]", want a column with one value in each record; a record is one person's`,
		`policy.exclude.consent.column: got "consents[].ok", want a column with one value in each record; a rule looks at one value`,
	} {
		assert.ErrorContains(t, err, want)
	}
	assert.Len(t, aggregate.Faults(err), 12, "%v", err)
}
