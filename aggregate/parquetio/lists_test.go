// SPDX-License-Identifier: Apache-2.0

package parquetio_test

import (
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/aggregate/table/tabletest"
)

// value and param are an item of a list of keys and values.
type paramValue struct {
	Text *string `parquet:"string_value,optional"`
	Int  *int64  `parquet:"int_value,optional"`
}

type param struct {
	Key   string     `parquet:"key"`
	Value paramValue `parquet:"value"`
}

// annotated is a record whose lists have the groups that the format asks for, and bare one without.
type annotated struct {
	ID      string    `parquet:"id"`
	Tags    []*string `parquet:"tags,list,optional"`
	Numbers []int64   `parquet:"numbers,list"`
	Params  []param   `parquet:"params,list,optional"`
	Secret  []string  `parquet:"secret,list"`
}

type bare struct {
	ID      string    `parquet:"id"`
	Tags    []*string `parquet:"tags,list"`
	Numbers []int64   `parquet:"numbers"`
	Params  []param   `parquet:"params"`
	Secret  []string  `parquet:"secret"`
}

func paramsOf(r tabletest.Record) (all []param) {
	for _, p := range r.Params {
		all = append(all, param{p.Key, paramValue{p.Text, p.Int}})
	}
	return all
}

func TestSourceKeepsTheContractOfLists(t *testing.T) {
	for name, options := range map[string][]parquet.WriterOption{
		"pages of version 1":         {parquet.DataPageVersion(1), parquet.Compression(&parquet.Snappy)},
		"pages of version 2":         {parquet.Compression(&parquet.Zstd)},
		"small pages":                {parquet.PageBufferSize(500), parquet.DataPageVersion(1)},
		"dictionaries":               {parquet.DefaultEncoding(&parquet.RLEDictionary)},
		"dictionaries, small pages":  {parquet.DefaultEncoding(&parquet.RLEDictionary), parquet.PageBufferSize(700)},
		"dictionaries that turn":     {parquet.DefaultEncoding(&parquet.RLEDictionary), parquet.DictionaryMaxBytes(300), parquet.PageBufferSize(400)},
		"several row groups":         {parquet.MaxRowsPerRowGroup(500)},
		"other encodings of numbers": {parquet.DefaultEncodingFor(parquet.Int64, &parquet.DeltaBinaryPacked)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Run("annotated", func(t *testing.T) {
				tabletest.TestLists(t, func(t *testing.T, records []tabletest.Record) table.Source {
					var all []annotated
					for _, r := range records {
						all = append(all, annotated{r.ID, r.Tags, r.Numbers, paramsOf(r), r.Secret})
					}
					return open(t, writeStructs(t, all, options...))
				}, tabletest.Without{})
			})
			t.Run("bare", func(t *testing.T) {
				tabletest.TestLists(t, func(t *testing.T, records []tabletest.Record) table.Source {
					var all []bare
					for _, r := range records {
						all = append(all, bare{r.ID, r.Tags, r.Numbers, paramsOf(r), r.Secret})
					}
					return open(t, writeStructs(t, all, options...))
				}, tabletest.Without{})
			})
		})
	}
}
