// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bufio"
	"io"
	"iter"
	"unsafe"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/compress/snappy"
	"github.com/parquet-go/parquet-go/compress/uncompressed"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

const (
	// batchRows is how many rows are handed to the Parquet writer at once.
	batchRows = 8192
	// groupRows is what pyarrow calls a row group.
	groupRows = 1 << 20
	pageBytes = 1 << 20
	// idBytes is room for the longest id.
	idBytes = 36
)

// usage is a record as Parquet holds it. A pointer is what lets 0 be a value and not a null.
type usage[ID any] struct {
	User    ID     `parquet:"user_id,optional,plain"`
	TS      int64  `parquet:"ts,optional,timestamp(millisecond)"`
	Gender  string `parquet:"gender,optional,dict"`
	Country string `parquet:"country,optional,dict"`
	Page    string `parquet:"page,optional,dict"`
	Seconds *int64 `parquet:"seconds,optional,dict"`
	Consent string `parquet:"consent,optional,dict"`
	Born    int32  `parquet:"born,optional,dict"`
}

type visitor[ID any] struct {
	User    ID     `parquet:"user_id,optional,plain"`
	Gender  string `parquet:"gender,optional,dict"`
	Home    string `parquet:"country_home,optional,dict"`
	Consent string `parquet:"consent,optional,dict"`
	Born    int32  `parquet:"born,optional,dict"`
}

var secondsValues = func() (out [601]int64) {
	for i := range out {
		out[i] = int64(i)
	}
	return out
}()

func usageOf[ID any](r *row, id ID) usage[ID] {
	return usage[ID]{
		User: id, TS: r.ts, Gender: genderLabels[r.gender], Country: countryLabels[r.country],
		Page: pageLabels[r.page], Seconds: &secondsValues[r.seconds],
		Consent: consentLabels[r.consent], Born: r.born,
	}
}

func visitorOf[ID any](p *person, id ID) visitor[ID] {
	return visitor[ID]{
		User: id, Gender: genderLabels[p.gender], Home: countryLabels[p.home],
		Consent: consentLabels[p.consent], Born: p.born,
	}
}

func (g *Generator) parquetUsage(w io.Writer) error {
	switch g.config.IDs {
	case "int64":
		return writeParquet(g, w, g.rows(), func(r *row, _ []byte) usage[int64] { return usageOf(r, r.int()) })
	case "bin16":
		return writeParquet(g, w, g.rows(), func(r *row, _ []byte) usage[[16]byte] { return usageOf(r, r.bin()) })
	}
	return writeParquet(g, w, g.rows(), func(r *row, buf []byte) usage[string] {
		return usageOf(r, view(r.text(buf, g.config.IDs)))
	})
}

func (g *Generator) parquetVisitors(w io.Writer) error {
	switch g.config.IDs {
	case "int64":
		return writeParquet(g, w, g.people(), func(p *person, _ []byte) visitor[int64] { return visitorOf(p, p.int()) })
	case "bin16":
		return writeParquet(g, w, g.people(), func(p *person, _ []byte) visitor[[16]byte] { return visitorOf(p, p.bin()) })
	}
	return writeParquet(g, w, g.people(), func(p *person, buf []byte) visitor[string] {
		return visitorOf(p, view(p.text(buf, g.config.IDs)))
	})
}

// view is a string over b, which must not change while the string is in use.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// writeParquet writes all as records that convert makes. Convert may use the buffer, of length 0, until
// the batch has been written.
func writeParquet[T, R any](g *Generator, w io.Writer, all iter.Seq[*T], convert func(*T, []byte) R) error {
	buf := bufio.NewWriterSize(w, 1<<20)
	out := parquet.NewGenericWriter[R](buf, g.options()...)
	batch, ids := make([]R, 0, batchRows), make([]byte, batchRows*idBytes)
	for v := range all {
		at := len(batch) * idBytes
		batch = append(batch, convert(v, ids[at:at:at+idBytes]))
		if len(batch) < batchRows {
			continue
		}
		if _, err := out.Write(batch); err != nil {
			return err
		}
		batch = batch[:0]
	}
	if _, err := out.Write(batch); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return buf.Flush()
}

func (g *Generator) options() []parquet.WriterOption {
	codecs := map[string]compress.Codec{
		"snappy": &snappy.Codec{}, "none": &uncompressed.Codec{},
		"zstd": &zstd.Codec{Level: zstd.SpeedDefault, Concurrency: 1},
	}
	// The library would name its version, and the bytes would change with it.
	out := []parquet.WriterOption{
		parquet.CreatedBy("throng benchmarks", "1", ""), parquet.Compression(codecs[g.config.Codec]),
		parquet.MaxRowsPerRowGroup(groupRows), parquet.PageBufferSize(pageBytes), parquet.DataPageVersion(1),
	}
	if g.config.DictIDs {
		out = append(out, parquet.StructTag(`parquet:"user_id,optional,dict"`, "User"))
	}
	return out
}
