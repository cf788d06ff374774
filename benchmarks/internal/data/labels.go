// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
)

var (
	genderLabels  = [4]string{"female", "male", "other", "unknown"}
	consentLabels = [2]string{"yes", "no"}
	countryLabels = strings.Fields(`US IN CN BR DE GB FR ID JP MX RU NG TR PH IT ES VN PK BD KR EG CA PL IR TH AR
		UA CO ZA MY SA NL RO AU MA PE IQ UZ TW CL DZ KE SE BE KZ GH GT AE CZ PT HU VE LK GR EC IL TZ ET AT CH
		DO BO TN JO MM NP BY HK SG DK FI NO BG RS AZ SK UG CM CI SN IE NZ KW HN PY SV HR GE CR LB PA LT UY OM
		KG AM MD BA SI LV EE QA JM MN MK AL TT BH CY ZM ZW MZ MG RW BW NA MU LU MT IS`)
	pageLabels = pages()
)

func pages() []string {
	out := make([]string, 2000)
	for i := range out {
		s := strconv.Itoa(i)
		out[i] = "/p/" + "0000"[len(s):] + s
	}
	return out
}

// compare orders people as their ids' bytes do.
func (p *person) compare(q *person) int {
	return cmp.Or(cmp.Compare(p.high, q.high), cmp.Compare(p.low, q.low))
}

// int is an id that is a number.
func (p *person) int() int64 { return int64(p.high >> 1) }

func (p *person) bin() (out [16]byte) {
	binary.BigEndian.PutUint64(out[:8], p.high)
	binary.BigEndian.PutUint64(out[8:], p.low)
	return out
}

// text appends the id as text.
func (p *person) text(out []byte, ids string) []byte {
	b := p.bin()
	switch ids {
	case "int64":
		return strconv.AppendInt(out, p.int(), 10)
	case "hex16":
		return hex.AppendEncode(out, b[:8])
	case "uuid":
		out = append(hex.AppendEncode(out, b[:4]), '-')
		out = append(hex.AppendEncode(out, b[4:6]), '-')
		out = append(hex.AppendEncode(out, b[6:8]), '-')
		out = append(hex.AppendEncode(out, b[8:10]), '-')
		return hex.AppendEncode(out, b[10:])
	}
	return hex.AppendEncode(out, b[:])
}
