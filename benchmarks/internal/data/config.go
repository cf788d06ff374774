// SPDX-License-Identifier: Apache-2.0

package data

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// Config says what is written. All fields must be set, but for Seed and DictIDs.
type Config struct {
	Rows   int64  // usage records
	People int64  // they are drawn from so many people
	Days   int    // they lie within so many days from 2026-03-02 on
	Seed   uint64 // decides all else
	IDs    string // hex16, uuid, int64 or bin16
	Sort   string // time, or user: by the id's bytes, and by time within a person
	Format string // parquet, csv or ndjson

	// For Parquet only.
	Codec   string // snappy, zstd or none
	DictIDs bool   // user_id is dictionary encoded too, however large the dictionary
}

func (c Config) check() error {
	var errs []error
	between := func(name string, got, low, high int64) {
		if got < low || got > high {
			errs = append(errs, fmt.Errorf("%s: got %d, want %d to %d", name, got, low, high))
		}
	}
	oneOf := func(name, got string, want ...string) {
		if !slices.Contains(want, got) {
			errs = append(errs, fmt.Errorf("%s: got %q, want one of %q", name, got, want))
		}
	}
	between("rows", c.Rows, 0, 1<<36)
	between("people", c.People, 1, 1<<31)
	between("days", int64(c.Days), 1, 3660)
	oneOf("ids", c.IDs, "hex16", "uuid", "int64", "bin16")
	oneOf("sort", c.Sort, "time", "user")
	oneOf("format", c.Format, "parquet", "csv", "ndjson")
	oneOf("codec", c.Codec, "snappy", "zstd", "none")
	return errors.Join(errs...)
}

// Generator writes the files of one Config.
type Generator struct {
	config    Config
	activity  alias
	countries alias
	pages     alias
	seconds   [secondsQuantiles]uint16
	clock     clock
}

// New returns a generator. An error names each field that is wrong.
func New(c Config) (*Generator, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	g := &Generator{
		config: c, activity: newAlias(activities(c.Seed, int(c.People))),
		countries: newAlias(zipf(len(countryLabels), 1.1)), pages: newAlias(zipf(len(pageLabels), 0.9)),
		clock: newClock(c.Rows, c.Days),
	}
	g.seconds = quantilesOfSeconds()
	return g, nil
}

// WriteUsage writes the usage records: user_id, ts, gender, country, page, seconds, consent, born.
// Errors are w's.
func (g *Generator) WriteUsage(w io.Writer) error {
	switch g.config.Format {
	case "csv":
		return writeText(w, g.rows(), usageHeader, func(out []byte, r *row) []byte { return r.csv(out, g.config.IDs) })
	case "ndjson":
		return writeText(w, g.rows(), "", func(out []byte, r *row) []byte { return r.ndjson(out, g.config.IDs) })
	}
	return g.parquetUsage(w)
}

// WriteVisitors writes a row per person, also of those without usage: user_id, gender, country_home,
// consent, born. Errors are w's.
func (g *Generator) WriteVisitors(w io.Writer) error {
	switch g.config.Format {
	case "csv":
		return writeText(w, g.people(), visitorsHeader, func(out []byte, p *person) []byte { return p.csv(out, g.config.IDs) })
	case "ndjson":
		return writeText(w, g.people(), "", func(out []byte, p *person) []byte { return p.ndjson(out, g.config.IDs) })
	}
	return g.parquetVisitors(w)
}
