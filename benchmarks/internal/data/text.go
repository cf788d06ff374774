// SPDX-License-Identifier: Apache-2.0

package data

import (
	"io"
	"iter"
	"strconv"
	"time"
)

const (
	usageHeader    = "user_id,ts,gender,country,page,seconds,consent,born\n"
	visitorsHeader = "user_id,gender,country_home,consent,born\n"
)

// writeText writes lines, a MiB at a time.
func writeText[T any](w io.Writer, all iter.Seq[*T], header string, line func([]byte, *T) []byte) error {
	const full = 1 << 20
	out := append(make([]byte, 0, full+1024), header...)
	for v := range all {
		if out = line(out, v); len(out) < full {
			continue
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
		out = out[:0]
	}
	_, err := w.Write(out)
	return err
}

func (r *row) csv(out []byte, ids string) []byte {
	out = append(r.text(out, ids), ',')
	out = append(appendTime(out, r.ts), ',')
	out = append(append(out, genderLabels[r.gender]...), ',')
	out = append(append(out, countryLabels[r.country]...), ',')
	out = append(append(out, pageLabels[r.page]...), ',')
	out = append(strconv.AppendInt(out, int64(r.seconds), 10), ',')
	return r.tail(out)
}

func (p *person) csv(out []byte, ids string) []byte {
	out = append(p.text(out, ids), ',')
	out = append(append(out, genderLabels[p.gender]...), ',')
	out = append(append(out, countryLabels[p.home]...), ',')
	return p.tail(out)
}

func (p *person) tail(out []byte) []byte {
	out = append(append(out, consentLabels[p.consent]...), ',')
	return append(strconv.AppendInt(out, int64(p.born), 10), '\n')
}

func (r *row) ndjson(out []byte, ids string) []byte {
	out = r.openJSON(out, ids)
	out = append(appendTime(append(out, `,"ts":"`...), r.ts), `","gender":"`...)
	out = append(append(out, genderLabels[r.gender]...), `","country":"`...)
	out = append(append(out, countryLabels[r.country]...), `","page":"`...)
	out = append(append(out, pageLabels[r.page]...), `","seconds":`...)
	return r.closeJSON(append(strconv.AppendInt(out, int64(r.seconds), 10), `,"consent":"`...))
}

func (p *person) ndjson(out []byte, ids string) []byte {
	out = append(p.openJSON(out, ids), `,"gender":"`...)
	out = append(append(out, genderLabels[p.gender]...), `","country_home":"`...)
	return p.closeJSON(append(append(out, countryLabels[p.home]...), `","consent":"`...))
}

// openJSON appends the id, which is a JSON number where it is a number.
func (p *person) openJSON(out []byte, ids string) []byte {
	out = append(out, `{"user_id":`...)
	if ids == "int64" {
		return p.text(out, ids)
	}
	return append(p.text(append(out, '"'), ids), '"')
}

func (p *person) closeJSON(out []byte) []byte {
	out = append(append(out, consentLabels[p.consent]...), `","born":`...)
	return append(strconv.AppendInt(out, int64(p.born), 10), "}\n"...)
}

// appendTime appends 2026-03-02T08:15:00.250Z.
func appendTime(out []byte, ms int64) []byte {
	return time.UnixMilli(ms).UTC().AppendFormat(out, "2006-01-02T15:04:05.000Z")
}
