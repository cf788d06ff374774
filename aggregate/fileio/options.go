// SPDX-License-Identifier: Apache-2.0

package fileio

import (
	"errors"
	"fmt"

	"github.com/throngdp/throng/aggregate/csvio"
	"github.com/throngdp/throng/aggregate/table"
)

// Options say what a file's content cannot. The zero value is right for most files. All fields but
// Format describe CSV and TSV and are refused for other formats.
type Options struct {
	// Format is csv, tsv, ndjson, parquet, arrow, combined or w3c; empty means that the content decides.
	Format string
	// Delimiter stands between fields; empty means a tab for TSV, and for CSV whichever of comma,
	// semicolon, tab and | the first record has most of.
	Delimiter string
	// NoHeader: the first record is data, and Columns holds the names of all columns, in order.
	NoHeader bool
	// Columns is required with NoHeader and refused without.
	Columns []string
	// Encoding is utf-8, latin-1 or windows-1252; empty means utf-8.
	Encoding string
	// Null lists spellings of a missing value, besides the empty field and \N which always are.
	Null []string
}

func (o Options) checkFormat(file string) error {
	if _, ok := formats[o.Format]; ok || o.Format == "" {
		return nil
	}
	return optionFault(file, "Format", fmt.Sprintf(
		"got %q, want csv, tsv, ndjson, parquet, arrow, combined or w3c; leave it empty to let the content decide", o.Format))
}

// check refuses options that do not fit the format of c. What is in the others, csvio checks.
func (o Options) check(c content) error {
	if c.format != csv && c.format != tsv {
		return o.refuseAll(c)
	}
	switch {
	case c.format == tsv && o.Delimiter != "" && o.Delimiter != "\t":
		return optionFault(c.Name, "Delimiter", fmt.Sprintf("got %q, want a tab for tsv; set Format to csv or leave it empty", o.Delimiter))
	case o.NoHeader && len(o.Columns) == 0:
		return optionFault(c.Name, "Columns", "got none, want the names of all columns in order; they are needed with NoHeader")
	case !o.NoHeader && len(o.Columns) != 0:
		return optionFault(c.Name, "Columns", "got names, want none for a file with a header; set NoHeader or leave them out")
	}
	return nil
}

// refuseAll returns an error for each option that only CSV and TSV have.
func (o Options) refuseAll(c content) error {
	var errs []error
	for _, option := range []struct {
		name string
		set  bool
	}{
		{"Delimiter", o.Delimiter != ""},
		{"NoHeader", o.NoHeader},
		{"Columns", len(o.Columns) != 0},
		{"Encoding", o.Encoding != ""},
		{"Null", len(o.Null) != 0},
	} {
		if option.set {
			errs = append(errs, optionFault(c.Name, option.name, "got a value, want none for "+c.format.label()+"; leave it out"))
		}
	}
	return errors.Join(errs...)
}

func optionFault(file, option, problem string) error {
	return &table.Error{File: file, Problem: "Options." + option + ": " + problem, Err: table.ErrSchema}
}

// csv translates the options for one file. tsv is csv whose delimiter is settled.
func (o Options) csv(c content) csvio.Options {
	out := csvio.Options{Delimiter: o.Delimiter, Columns: o.Columns, Encoding: o.Encoding, Null: o.Null, Size: c.Size}
	if c.format == tsv {
		out.Delimiter = "\t"
	}
	if o.NoHeader {
		out.Header = csvio.NoHeader
	}
	return out
}
