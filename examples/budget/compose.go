// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"

	"github.com/throngdp/throng/dp/accounting"
)

// methods in the order in which they are printed.
var methods = []accounting.Method{accounting.Basic, accounting.ZCDP, accounting.PLD}

// compose is the first command.
type compose struct {
	laplace, gauss, pure mechanisms
	delta                number
	json                 bool
}

func (c *compose) wantsJSON() bool { return c.json }

func (c *compose) flags() *flag.FlagSet {
	f := newFlagSet("compose")
	c.laplace = mechanisms{flag: "laplace", parameter: "b"}
	c.gauss = mechanisms{flag: "gauss", parameter: "sigma"}
	c.pure = mechanisms{flag: "pure", parameter: "eps"}
	f.Var(&c.laplace, "laplace", "Laplace noise of scale b, drawn n times: `b=2,n=3`; n is 1 where it is left out")
	f.Var(&c.gauss, "gauss", "Gaussian noise of standard deviation sigma, drawn n times: `sigma=5,n=10`")
	f.Var(&c.pure, "pure", "any mechanism that is eps-differentially private, n times: `eps=0.1,n=10`")
	f.Var(&c.delta, "delta", "the `δ` at which ε is asked for, above 0 and below 1")
	f.BoolVar(&c.json, "json", false, `print {"basic":…,"zcdp":…,"pld":…}`)
	return f
}

func (c *compose) run() (any, string, error) {
	all, err := c.composition()
	if err != nil {
		return nil, "", err
	}
	value := struct {
		Basic float64 `json:"basic"`
		ZCDP  float64 `json:"zcdp"`
		PLD   float64 `json:"pld"`
	}{}
	var text string
	var errs []error
	for i, to := range []*float64{&value.Basic, &value.ZCDP, &value.PLD} {
		if *to, err = all.Epsilon(methods[i], c.delta.value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", methods[i], err))
		}
		text += fmt.Sprintf("%-6s ε = %.10g\n", methods[i], *to)
	}
	return value, text + fmt.Sprintf("at δ = %s\n", &c.delta), errors.Join(errs...)
}

// composition checks everything and tells all faults.
func (c *compose) composition() (accounting.Composition, error) {
	var all accounting.Composition
	errs := append(append(append([]error(nil), c.laplace.faults...), c.gauss.faults...), c.pure.faults...)
	add := func(flag string, m mechanism, of func(mechanism) (accounting.Event, error)) {
		e, err := of(m)
		if err == nil {
			var next accounting.Composition
			if next, err = all.Add(e, m.times); err == nil {
				all = next
				return
			}
		}
		errs = append(errs, usageError(fmt.Sprintf("-%s: %s", flag, err)))
	}
	for _, m := range c.laplace.all {
		add("laplace", m, func(m mechanism) (accounting.Event, error) { return accounting.Laplace(m.value, 1) })
	}
	for _, m := range c.gauss.all {
		add("gauss", m, func(m mechanism) (accounting.Event, error) { return accounting.Gaussian(m.value, 1) })
	}
	for _, m := range c.pure.all {
		add("pure", m, pureEvent)
	}
	switch {
	case !c.delta.set:
		errs = append(errs, usageError("-delta: got nothing, want a number above 0 and below 1; 1e-9 is usual"))
	case c.delta.value >= 1:
		errs = append(errs, usageError(fmt.Sprintf("-delta: got %s, want a number above 0 and below 1; 1e-9 is usual", &c.delta)))
	}
	if len(c.laplace.all)+len(c.gauss.all)+len(c.pure.all) == 0 && len(errs) == 0 {
		errs = append(errs, usageError("got no mechanism, want at least one of -laplace, -gauss and -pure; see -h"))
	}
	return all, errors.Join(errs...)
}

func pureEvent(m mechanism) (accounting.Event, error) {
	spend, err := pureSpend(m.text)
	if err != nil {
		return accounting.Event{}, err
	}
	return accounting.Approx(spend)
}
