// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/internal/scan"
	"github.com/throngdp/throng/aggregate/internal/strictyaml"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
	"github.com/throngdp/throng/anonymize/identity"
)

// consentsInput is what plans and errors call the log of decisions.
const consentsInput = "consents"

func (p *Policy) validateConsents(f *faults) {
	r := p.Exclude.Consents
	if r == nil {
		return
	}
	const path = "policy.exclude.consents"
	if len(r.Columns) == 0 {
		f.unset(path+".columns", "the columns of ids", "write [{column: NAME, id: ID}]")
	}
	p.validateListColumns(f, path+".columns", consentsInput, r.Columns)
	if r.Status == "" {
		f.unset(path+".status", "the column that says what was decided", "name it")
	}
	f.ruleValue(path+".status", r.Status)
	f.ruleValue(path+".at", r.At)
	f.ruleValue(path+".purpose", r.Purpose)
	f.words(path+".allow", r.Allow, "the values that are consent", "write allow: [granted]")
	if r.At == "" {
		f.unset(path+".at", "the column that says when", "name it: of several decisions the last one counts")
	}
	f.reading(path, r.As, r.Zone)
	f.consentDays(path, r.Days)
	if r.Days != 0 && r.Unset == KeepUnset {
		f.add(path+".days", fmt.Sprintf("%s beside unset: keep", number(r.Days, "day")), "days where people have to consent", "remove one of the two")
	}
	f.validateUnset(path, r.Unset)
	p.validatePurposes(f, path, r)
}

// validatePurposes checks which words of the log are about which purposes of releases.
func (p *Policy) validatePurposes(f *faults, path string, r *ConsentsRule) {
	switch {
	case r.Purpose != "" && len(r.Purposes) == 0:
		f.unset(path+".purposes", "what "+r.Purpose+" says, by the purpose of a release", "write {PURPOSE: [WORD]}")
	case r.Purpose == "" && len(r.Purposes) > 0:
		f.unset(path+".purpose", "the column that says for what", "name it, or remove purposes")
	}
	for _, purpose := range slices.Sorted(maps.Keys(r.Purposes)) {
		at := strictyaml.Child(path+".purposes", purpose)
		f.oneOf(at, purpose, p.purposes()...)
		f.words(at, r.Purposes[purpose], "the values that are about this purpose", "write [analytics]")
	}
}

// words reports values that no cell can have, and that there are none.
func (f *faults) words(path string, words []string, want, fix string) {
	if len(words) == 0 {
		f.unset(path, want, fix)
	} else if _, err := anonymize.NewConsent("a column", words...); err != nil {
		f.problems(path, "something else", err)
	}
}

// reading reports a way of reading times that cannot be compared with a release's as_of.
func (f *faults) reading(path, as, zone string) {
	if _, err := generalize.NewClock(anonymize.As(as), ""); err != nil {
		f.problems(path+".as", orNothing(as), err)
	} else if as == string(anonymize.AsDayOffset) {
		f.add(path+".as", as, "a way of reading that has dates", "consent counts before an instant, which this has not")
	} else if _, err := generalize.NewClock(anonymize.As(as), zone); err != nil {
		f.problems(path+".zone", quoted(zone), err)
	}
}

func (f *faults) consentDays(path string, days int64) {
	if days < 0 || days > maxRetention {
		f.add(path+".days", fmt.Sprint(days), fmt.Sprintf("1 to %d days", maxRetention), "write how long a consent counts, or leave it out")
	}
}

func (f *faults) given(path string, g *Given) {
	if g == nil {
		return
	}
	if g.At == "" {
		f.unset(path+".at", "the column that says when it was given", "name it")
	}
	f.ruleValue(path+".at", g.At)
	f.ruleValue(path+".withdrawn", g.Withdrawn)
	f.reading(path, g.As, g.Zone)
	f.consentDays(path, g.Days)
}

// given is when consent of a record must have been given.
type given struct {
	*Given
	window scan.Window
	text   string
}

// compileGiven returns nil where nothing says when consent was given.
func (c *compiled) compileGiven(f *faults, path string, g *Given) *given {
	if g == nil {
		return nil
	}
	text := fmt.Sprintf("given (%s) %s", g.At, c.windowText(g.Days))
	if g.Withdrawn != "" {
		text += fmt.Sprintf(" and not withdrawn (%s) since", g.Withdrawn)
	}
	return &given{g, c.consentWindow(f, path, g.As, g.Zone, g.Days), text}
}

// columns are the raw columns that are read.
func (g *given) columns() []string {
	switch {
	case g == nil:
		return nil
	case g.Withdrawn == "":
		return []string{g.At}
	}
	return []string{g.At, g.Withdrawn}
}

// scan is the same by numbers of columns.
func (g *given) scan(column func(string) int) *scan.Given {
	if g == nil {
		return nil
	}
	sg := &scan.Given{At: column(g.At), Withdrawn: -1, Window: g.window}
	if g.Withdrawn != "" {
		sg.Withdrawn = column(g.Withdrawn)
	}
	return sg
}

// decisions is the log of consents as the scan reads it.
type decisions struct {
	allow *anonymize.Consent
	// about are the words for the release's purpose; nil where every record is about every purpose.
	about  *anonymize.Consent
	window scan.Window
	// required says that nobody counts who has not consented.
	required bool
	text     string
}

func (c *compiled) compileConsents(f *faults) {
	r := c.policy.Exclude.Consents
	if r == nil {
		return
	}
	const path = "policy.exclude.consents"
	d := &decisions{required: r.Unset != KeepUnset}
	var err error
	if d.allow, err = anonymize.NewConsent(r.Status, r.Allow...); err != nil {
		f.problems(path+".allow", "something else", err)
		return
	}
	d.text = fmt.Sprintf("all whose last decision in the consents input (%s, by %s) is not one of %s", r.Status, r.At, strings.Join(r.Allow, ", "))
	if words := r.Purposes[c.release.Purpose]; r.Purpose != "" {
		if d.about, err = anonymize.NewConsent(r.Purpose, words...); err != nil {
			return // the release's purpose is none of them, which was said
		}
		d.text += fmt.Sprintf(", of those whose %s is one of %s", r.Purpose, strings.Join(words, ", "))
	}
	d.window = c.consentWindow(f, path, r.As, r.Zone, r.Days)
	d.text += "; consent counts if it was given " + c.windowText(r.Days) + ", a refusal whenever it was made"
	if d.required {
		d.text += "; and all who made none"
	}
	c.consents = d
}

// consentWindow is when a consent must have been given to count.
func (c *compiled) consentWindow(f *faults, path, as, zone string, days int64) scan.Window {
	w := scan.Window{From: math.MinInt64, Before: c.cutoff}
	var err error
	if w.Clock, err = generalize.NewClock(anonymize.As(as), zone); err != nil {
		f.problems(path+".as", quoted(as), err)
	}
	if days > 0 && c.asOf.IsValid() {
		w.From = c.calendar.DaysBefore(c.asOf, days)
	}
	return w
}

// windowText says the same.
func (c *compiled) windowText(days int64) string {
	if days > 0 {
		return fmt.Sprintf("before %s and at most %s earlier", c.cutoffText(), number(days, "day"))
	}
	return "before " + c.cutoffText()
}

// decision is a moment twice, and one more for a refusal, so that of several the largest counts: the last, and of
// those of one moment a refusal.
type decision int64

// refusedForGood is a refusal that nothing follows.
const refusedForGood decision = math.MaxInt64

// consented reports whether the decision is no refusal.
func (d decision) consented() bool { return d&1 == 0 }

// of returns what a record decides, false where that does not count for the release. What cannot be read is a
// refusal.
func (d *decisions) of(status, at, purpose anonymize.Value) (decision, bool) {
	yes := d.allow.Check(status) == anonymize.Allowed
	if d.about != nil && d.about.Check(purpose) != anonymize.Allowed {
		var buf [anonymize.MaxText]byte
		if _, readable := purpose.AppendFolded(buf[:0]); readable || yes {
			return 0, false // it is about something else, or nobody knows what was consented to
		}
	}
	t, readable := d.window.Clock.Instant(at)
	switch {
	case !readable:
		return refusedForGood, true
	case !yes:
		return decision(2*t + 1), true
	}
	return decision(2 * t), d.window.Holds(t)
}

// consentColumns are those that a log has beside its ids.
func (r *ConsentsRule) columns() []string {
	columns := []string{r.Status, r.At}
	if r.Purpose != "" {
		columns = append(columns, r.Purpose)
	}
	return columns
}

// settle excludes everybody whose last decision is a refusal, and says of the others that they consented. It keeps
// one decision for each person of the log.
func (s *scanner) settle(ctx context.Context, d *decisions, r *ConsentsRule, sources []table.Source, m *meter) error {
	if s.consents == nil {
		return nil
	}
	last := map[identity.Token]decision{}
	err := s.consents.read(ctx, sources, m, func(rec *listRecord) error {
		var purpose anonymize.Value
		if r.Purpose != "" {
			purpose = rec.value(r.Purpose)
		}
		decided, counts := d.of(rec.value(r.Status), rec.value(r.At), purpose)
		if !counts {
			return nil
		}
		for _, id := range rec.ids {
			id = s.people.Resolve(id)
			if before, known := last[id]; !known || decided > before {
				last[id] = decided
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	tell := s.teller()
	for id, decided := range last {
		flag := engine.Excluded
		if decided.consented() {
			flag = s.consented
		}
		if err := tell.add(id, flag); err != nil {
			return err
		}
	}
	return tell.done()
}
