// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"fmt"
	"slices"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
)

// maxOptOuts bounds the rules of a policy; the engine has room for 20 in all.
const maxOptOuts = 8

// signalOff are the values that say that a signal is off.
var signalOff = []string{"0", "false", "no", "off"}

// allowRule is an AllowRule with where it stands, and what it is for in words.
type allowRule struct {
	AllowRule
	path, name string
}

// allowRules returns opt-outs, signals and the country in one form.
func (e *Exclude) allowRules() []allowRule {
	var rules []allowRule
	for i, r := range e.OptOuts {
		rules = append(rules, allowRule{r, fmt.Sprintf("policy.exclude.opt_outs[%d]", i), "opt-out"})
	}
	if s := e.Signals; s != nil {
		for _, signal := range []struct{ column, key, name string }{
			{s.GPC, "gpc", "global privacy control"}, {s.DNT, "dnt", "do not track"}, {s.COPPA, "coppa", "children's online privacy protection"},
		} {
			if signal.column != "" {
				rules = append(rules, allowRule{
					AllowRule{From: s.From, Column: signal.column, Allow: signalOff, Unset: s.Unset}, "policy.exclude.signals", signal.name,
				})
			}
		}
	}
	if e.Country != nil {
		rules = append(rules, allowRule{*e.Country, "policy.exclude.country", "country"})
	}
	return rules
}

func (p *Policy) validateAllowRules(f *faults) {
	if n := len(p.Exclude.OptOuts); n > maxOptOuts {
		f.add("policy.exclude.opt_outs", fmt.Sprintf("%d rules", n), fmt.Sprintf("at most %d", maxOptOuts), "join columns before they are read")
	}
	if s := p.Exclude.Signals; s != nil {
		const path = "policy.exclude.signals"
		if s.GPC == "" && s.DNT == "" && s.COPPA == "" {
			f.unset(path, "the column of at least one of gpc, dnt and coppa", "write gpc: NAME")
		}
		f.oneOf(path+".from", string(s.From), string(Visitors), string(Usage))
		f.validateUnset(path, s.Unset)
		f.ruleValue(path+".gpc", s.GPC)
		f.ruleValue(path+".dnt", s.DNT)
		f.ruleValue(path+".coppa", s.COPPA)
	}
	if c := p.Exclude.Country; c != nil && len(c.Purposes) > 0 {
		f.add("policy.exclude.country.purposes", "purposes on a country", "nothing here", "only opt-outs have purposes")
	}
	if r := p.Exclude.TCF; r != nil {
		f.ruleColumn("policy.exclude.tcf", r.From, r.Column)
		f.validateUnset("policy.exclude.tcf", r.Unset)
		f.ruleValue("policy.exclude.tcf.applies", r.Applies)
		if _, err := anonymize.NewTCF("a column", r.Purposes...); err != nil {
			f.problems("policy.exclude.tcf.purposes", fmt.Sprint(r.Purposes), err)
		}
	}
	if b := p.Exclude.Bots; b != nil {
		f.ruleColumn("policy.exclude.bots", b.From, b.Column)
		f.validateUnset("policy.exclude.bots", b.Unset)
	}
	if r := p.Exclude.Internal; r != nil {
		f.validateInternal("policy.exclude.internal", r)
	}
	purposes := p.purposes()
	for _, r := range p.Exclude.allowRules() {
		if r.path == "policy.exclude.signals" {
			continue
		}
		f.ruleColumn(r.path, r.From, r.Column)
		f.validateUnset(r.path, r.Unset)
		if len(r.Allow) == 0 {
			f.unset(r.path+".allow", "the values with which people stay in", `write allow: ["no"] for a column that says yes to leaving`)
		} else if _, err := anonymize.NewConsent("a column", r.Allow...); err != nil {
			f.problems(r.path+".allow", "something else", err)
		}
		for i, purpose := range r.Purposes {
			f.oneOf(fmt.Sprintf("%s.purposes[%d]", r.path, i), purpose, purposes...)
		}
	}
}

// maxInternal bounds the networks of the house.
const maxInternal = 1000

func (f *faults) validateInternal(path string, r *InternalRule) {
	f.ruleColumn(path, r.From, r.Column)
	f.validateUnset(path, r.Unset)
	switch n := len(r.Networks); {
	case n == 0:
		f.unset(path+".networks", "the networks of the house", "write networks: [10.0.0.0/8]")
	case n > maxInternal:
		f.add(path+".networks", fmt.Sprintf("%d networks", n), fmt.Sprintf("at most %d", maxInternal), "join those that touch")
	}
	if _, err := generalize.NewNetworks(r.Networks...); err != nil {
		f.problems(path+".networks", "something else", err)
	}
}

// purposes are those of all recipients.
func (p *Policy) purposes() []string {
	var purposes []string
	for _, r := range p.Recipients {
		purposes = append(purposes, r.Purposes...)
	}
	slices.Sort(purposes)
	return slices.Compact(purposes)
}

func (f *faults) validateUnset(path string, u Unset) {
	if u != "" {
		f.oneOf(path+".unset", string(u), string(ExcludeUnset), string(KeepUnset))
	}
}

// compileAllowRules adds the rules that apply to the release.
func (c *compiled) compileAllowRules(f *faults) {
	for _, r := range c.policy.Exclude.allowRules() {
		if len(r.Purposes) > 0 && !slices.Contains(r.Purposes, c.release.Purpose) {
			continue
		}
		rule, err := anonymize.NewConsent(r.Column, r.Allow...)
		if err != nil {
			f.problems(r.path, "something else", err)
			continue
		}
		if r.Unset == KeepUnset {
			rule = rule.AllowUnset()
		}
		c.rules = append(c.rules, ruleOf(r, rule))
	}
}

// notApplicable are the values that say that a law does not apply.
var notApplicable = []string{"0", "false", "no"}

// compileTCF adds the rule about consent strings.
func (c *compiled) compileTCF(f *faults) {
	r := c.policy.Exclude.TCF
	if r == nil {
		return
	}
	tcf, err := anonymize.NewTCF(r.Column, r.Purposes...)
	if err != nil {
		f.problems("policy.exclude.tcf", "something else", err)
		return
	}
	if r.Unset == KeepUnset {
		tcf = tcf.AllowUnset()
	}
	compiledRule := rule{from: r.From, column: r.Column, keeps: allowed(tcf.Check), text: tcf.String()}
	if r.Applies != "" {
		lift, err := anonymize.NewConsent(r.Applies, notApplicable...)
		if err != nil {
			f.problems("policy.exclude.tcf.applies", "something else", err)
			return
		}
		compiledRule.unless, compiledRule.lifts = r.Applies, allowed(lift.Check)
		compiledRule.text += ", unless " + r.Applies + " says that it does not apply"
	}
	c.rules = append(c.rules, compiledRule)
}

// compileBots adds the rule about robots.
func (c *compiled) compileBots() {
	if b := c.policy.Exclude.Bots; b != nil {
		c.rules = append(c.rules, rule{
			from: b.From, column: b.Column, text: "records of people whose " + b.Column + " names a robot, or nothing that is known",
			keeps: func(v anonymize.Value) bool {
				if !v.Valid {
					return b.Unset == KeepUnset
				}
				return v.Kind == anonymize.Bytes && !generalize.IsBot(v.Bytes)
			},
		})
	}
}

// compileInternal adds the rule about networks of the house.
func (c *compiled) compileInternal(f *faults) {
	r := c.policy.Exclude.Internal
	if r == nil {
		return
	}
	house, err := generalize.NewNetworks(r.Networks...)
	if err != nil {
		f.problems("policy.exclude.internal.networks", "something else", err)
		return
	}
	c.rules = append(c.rules, rule{
		from: r.From, column: r.Column,
		text: "records of people whose " + r.Column + " is an address of the house (" + number(int64(len(r.Networks)), "network") + "), or none that is known",
		keeps: func(v anonymize.Value) bool {
			if !v.Valid {
				return r.Unset == KeepUnset
			}
			inside, known := false, false
			if v.Kind == anonymize.Bytes {
				inside, known = house.Holds(v.Bytes)
			}
			return known && !inside
		},
	})
}

func ruleOf(r allowRule, a *anonymize.Consent) rule {
	return rule{from: r.From, column: r.Column, keeps: allowed(a.Check), text: a.String() + " (" + r.name + ")"}
}
