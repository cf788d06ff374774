// SPDX-License-Identifier: Apache-2.0

package main

import (
	"iter"
	"math"
	"strconv"
	"time"

	"github.com/throngdp/throng/examples/gendata/gen"
)

// row is a record of one of the files. Its struct tags say how NDJSON and Parquet hold it.
type row interface {
	visitorRow | usageRow | inlineRow
	// header and cells are the record as CSV holds it: all text, empty where missing.
	header() []string
	cells(dst []string) []string
}

// visitorRow is a registration.
type visitorRow struct {
	ID              string `json:"visitor_id" parquet:"visitor_id,optional,dict"`
	Email           string `json:"email" parquet:"email,optional"`
	Phone           string `json:"phone" parquet:"phone,optional"`
	Name            string `json:"name" parquet:"name,optional,dict"`
	Gender          string `json:"gender,omitempty" parquet:"gender,optional,dict"`
	BirthYearText   string `json:"birth_year,omitempty" parquet:"-"`
	BirthYear       *int32 `json:"-" parquet:"birth_year,optional,dict"`
	Country         string `json:"country,omitempty" parquet:"country,optional,dict"`
	City            string `json:"city,omitempty" parquet:"city,optional,dict"`
	ShareOK         string `json:"share_ok,omitempty" parquet:"share_ok,optional,dict"`
	OptOut          string `json:"marketing_opt_out,omitempty" parquet:"marketing_opt_out,optional,dict"`
	ParentalConsent string `json:"parental_consent,omitempty" parquet:"parental_consent,optional,dict"`
	CreatedAtText   string `json:"created_at" parquet:"-"`
	CreatedAt       int64  `json:"-" parquet:"created_at,timestamp(microsecond)"`
}

func newVisitorRow(v gen.Visitor) visitorRow {
	return visitorRow{
		ID: v.ID, Email: v.Email, Phone: v.Phone, Name: v.Name, Gender: v.Gender,
		BirthYearText: v.BirthYear, BirthYear: year(v.BirthYear),
		Country: v.Country, City: v.City, ShareOK: v.ShareOK, OptOut: v.OptOut, ParentalConsent: v.ParentalConsent,
		CreatedAtText: v.CreatedAt.Format(time.RFC3339), CreatedAt: v.CreatedAt.UnixMicro(),
	}
}

func (visitorRow) header() []string {
	return []string{"visitor_id", "email", "phone", "name", "gender", "birth_year", "country", "city",
		"share_ok", "marketing_opt_out", "parental_consent", "created_at"}
}

func (v visitorRow) cells(dst []string) []string {
	return append(dst, v.ID, v.Email, v.Phone, v.Name, v.Gender, v.BirthYearText, v.Country, v.City,
		v.ShareOK, v.OptOut, v.ParentalConsent, v.CreatedAtText)
}

// context is what the site's software adds to each record.
type context struct {
	IP        string `json:"ip" parquet:"ip,optional"`
	Device    string `json:"device" parquet:"device,optional,dict"`
	UserAgent string `json:"user_agent,omitempty" parquet:"user_agent,optional,dict"`
}

// usageRow is a page view.
type usageRow struct {
	ID            string   `json:"visitor_id,omitempty" parquet:"visitor_id,optional,dict"`
	VisitedAtText string   `json:"visited_at" parquet:"-"`
	VisitedAt     int64    `json:"-" parquet:"visited_at,timestamp(microsecond)"`
	Page          string   `json:"page" parquet:"page,optional,dict"`
	Section       string   `json:"section" parquet:"section,optional,dict"`
	Referrer      string   `json:"referrer,omitempty" parquet:"referrer,optional,dict"`
	SecondsText   text     `json:"seconds,omitempty" parquet:"-"`
	Seconds       *float64 `json:"-" parquet:"seconds,optional"`
	AmountText    string   `json:"amount,omitempty" parquet:"-"`
	Amount        int32    `json:"-" parquet:"amount,optional,decimal(2:9)"`
	Context       context  `json:"context" parquet:"context"`
}

// text is a number in JSON where it is one, and a string where it is none.
type text string

// MarshalJSON spells numbers as they stand.
func (t text) MarshalJSON() ([]byte, error) {
	if number(string(t)) == nil {
		return strconv.AppendQuote(nil, string(t)), nil
	}
	return []byte(t), nil
}

func newUsageRow(u gen.Usage) usageRow {
	return usageRow{
		ID: u.ID, VisitedAtText: u.VisitedAt.Format(time.RFC3339), VisitedAt: u.VisitedAt.UnixMicro(),
		Page: u.Page, Section: u.Section, Referrer: u.Referrer,
		SecondsText: text(u.Seconds), Seconds: number(u.Seconds),
		AmountText: amount(u.AmountCents), Amount: u.AmountCents,
		Context: context{IP: u.IP, Device: u.Device, UserAgent: u.UserAgent},
	}
}

func (usageRow) header() []string {
	return []string{"visitor_id", "visited_at", "page", "section", "referrer", "seconds", "amount",
		"context.ip", "context.device", "context.user_agent"}
}

func (u usageRow) cells(dst []string) []string {
	return append(dst, u.ID, u.VisitedAtText, u.Page, u.Section, u.Referrer, string(u.SecondsText), u.AmountText,
		u.Context.IP, u.Context.Device, u.Context.UserAgent)
}

// inlineRow is a page view with what is known of the person.
type inlineRow struct {
	usageRow
	Email           string `json:"email,omitempty" parquet:"email,optional,dict"`
	Gender          string `json:"gender,omitempty" parquet:"gender,optional,dict"`
	BirthYearText   string `json:"birth_year,omitempty" parquet:"-"`
	BirthYear       *int32 `json:"-" parquet:"birth_year,optional,dict"`
	Country         string `json:"country,omitempty" parquet:"country,optional,dict"`
	City            string `json:"city,omitempty" parquet:"city,optional,dict"`
	ShareOK         string `json:"share_ok,omitempty" parquet:"share_ok,optional,dict"`
	OptOut          string `json:"marketing_opt_out,omitempty" parquet:"marketing_opt_out,optional,dict"`
	ParentalConsent string `json:"parental_consent,omitempty" parquet:"parental_consent,optional,dict"`
}

func newInlineRow(u gen.Usage, v gen.Visitor) inlineRow {
	return inlineRow{
		usageRow: newUsageRow(u), Email: v.Email, Gender: v.Gender,
		BirthYearText: v.BirthYear, BirthYear: year(v.BirthYear),
		Country: v.Country, City: v.City, ShareOK: v.ShareOK, OptOut: v.OptOut, ParentalConsent: v.ParentalConsent,
	}
}

func (r inlineRow) header() []string {
	return append(r.usageRow.header(), "email", "gender", "birth_year", "country", "city",
		"share_ok", "marketing_opt_out", "parental_consent")
}

func (r inlineRow) cells(dst []string) []string {
	return append(r.usageRow.cells(dst), r.Email, r.Gender, r.BirthYearText, r.Country, r.City,
		r.ShareOK, r.OptOut, r.ParentalConsent)
}

// years holds the typed years, so that a row need not allocate its own.
var years = func() (out [3000]int32) {
	for i := range out {
		out[i] = int32(i)
	}
	return out
}()

// year types a birth year: "1984" and "1984.0" are 1984, anything else is missing.
func year(s string) *int32 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v != math.Trunc(v) || v < 0 || int(v) >= len(years) {
		return nil
	}
	return &years[int(v)]
}

func number(s string) *float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil
	}
	return &v
}

// amount spells cents as 12.99.
func amount(cents int32) string {
	if cents == 0 {
		return ""
	}
	s := strconv.Itoa(int(cents))
	for len(s) < 3 {
		s = "0" + s
	}
	return s[:len(s)-2] + "." + s[len(s)-2:]
}

func visitorRows(g *gen.Generator) iter.Seq[visitorRow] { return convert(g.Visitors(), newVisitorRow) }

func usageRows(g *gen.Generator) iter.Seq[usageRow] { return convert(g.Usage(), newUsageRow) }

// inlineRows leaves the attributes of nobody missing.
func inlineRows(g *gen.Generator) iter.Seq[inlineRow] {
	return convert(g.Usage(), func(u gen.Usage) inlineRow {
		if u.Person < 0 {
			return newInlineRow(u, gen.Visitor{})
		}
		return newInlineRow(u, g.VisitorOf(u.Person))
	})
}

func convert[A, B any](in iter.Seq[A], f func(A) B) iter.Seq[B] {
	return func(yield func(B) bool) {
		for a := range in {
			if !yield(f(a)) {
				return
			}
		}
	}
}
