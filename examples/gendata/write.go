// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

const (
	// chunkRows is how many records are handed to the Parquet writer at once.
	chunkRows = 4096
	// groupRows is how many records a row group has: what the Parquet writer holds in memory.
	groupRows = 250_000
)

func writeCSV[R row](w io.Writer, rows iter.Seq[R]) error {
	out := csv.NewWriter(w)
	var none R
	if err := out.Write(none.header()); err != nil {
		return err
	}
	var cells []string
	for r := range rows {
		cells = r.cells(cells[:0])
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func writeNDJSON[R row](w io.Writer, rows iter.Seq[R]) error {
	buf := bufio.NewWriterSize(w, 1<<20)
	out := json.NewEncoder(buf)
	out.SetEscapeHTML(false)
	for r := range rows {
		if err := out.Encode(&r); err != nil {
			return err
		}
	}
	return buf.Flush()
}

// writeParquet makes rows in one goroutine while it encodes in another.
func writeParquet[R row](w io.Writer, rows iter.Seq[R]) (err error) {
	buf := bufio.NewWriterSize(w, 1<<20)
	// The library would name its version, and the bytes would change with it.
	out := parquet.NewGenericWriter[R](buf, parquet.CreatedBy("throng gendata", "1", ""),
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest, Concurrency: 1}), parquet.MaxRowsPerRowGroup(groupRows))
	for chunk := range chunks(rows) {
		if _, err := out.Write(chunk); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	return buf.Flush()
}

// chunks collects rows into slices, a few ahead of the consumer. A slice is valid until the next one.
func chunks[R any](rows iter.Seq[R]) iter.Seq[[]R] {
	return func(yield func([]R) bool) {
		full, empty, stop := make(chan []R, 2), make(chan []R, 4), make(chan struct{})
		done := make(chan struct{})
		defer func() { close(stop); <-done }()
		for range cap(empty) {
			empty <- make([]R, 0, chunkRows)
		}
		go func() {
			defer close(done)
			defer close(full)
			produce(rows, full, empty, stop)
		}()
		for chunk := range full {
			if !yield(chunk) {
				return
			}
			clear(chunk)
			empty <- chunk[:0]
		}
	}
}

func produce[R any](rows iter.Seq[R], full chan<- []R, empty <-chan []R, stop <-chan struct{}) {
	chunk := <-empty
	send := func() bool {
		select {
		case full <- chunk:
			return true
		case <-stop:
			return false
		}
	}
	for r := range rows {
		if chunk = append(chunk, r); len(chunk) < chunkRows {
			continue
		}
		if !send() {
			return
		}
		select {
		case chunk = <-empty:
		case <-stop:
			return
		}
	}
	if len(chunk) > 0 {
		send()
	}
}
