// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/dp/accounting"
)

// calibrate is the second command.
type calibrate struct {
	epsilon, delta string
	statistics, l0 int64
	sensitivity    number
	json           bool
}

func (c *calibrate) wantsJSON() bool { return c.json }

func (c *calibrate) flags() *flag.FlagSet {
	f := newFlagSet("calibrate")
	f.StringVar(&c.epsilon, "epsilon", "", "the `ε` that all statistics together may cost")
	f.StringVar(&c.delta, "delta", "", "the `δ` that all statistics together may cost")
	f.Int64Var(&c.statistics, "statistics", 0, "how `many` statistics, all alike")
	f.Int64Var(&c.l0, "l0", 1, "the `most` groups that one privacy unit counts in")
	c.sensitivity = number{1, true}
	f.Var(&c.sensitivity, "sensitivity", "the `most` that one privacy unit changes a statistic in one group")
	f.BoolVar(&c.json, "json", false, "print JSON, with one object for each method")
	return f
}

// found is one method's answer. Scale is b or σ.
type found struct {
	Kind    string  `json:"kind"`
	Scale   float64 `json:"scale"`
	StdDev  float64 `json:"standard_deviation"`
	Epsilon float64 `json:"epsilon"`
}

func (c *calibrate) run() (any, string, error) {
	target, items, err := c.read()
	if err != nil {
		return nil, "", err
	}
	value := map[string]any{}
	text := fmt.Sprintf("%-6s %-9s %14s %18s\n", "method", "noise", "scale", "standard deviation")
	var best accounting.Plan
	var errs []error
	for _, m := range methods {
		p, err := accounting.Calibrate(target, items, accounting.Composition{}, m)
		if err != nil {
			value[m.String()] = nil
			errs = append(errs, err)
			text += fmt.Sprintf("%-6s %s\n", m, "not possible; "+strings.TrimPrefix(err.Error(), m.String()+": "))
			continue
		}
		n := p.Noises[0]
		value[m.String()] = found{n.Kind.String(), n.Scale, n.StdDev, p.Epsilon}
		text += fmt.Sprintf("%-6s %-9s %14.8g %18.8g\n", m, n.Kind, n.Scale, n.StdDev)
		if best.Noises == nil || p.Cost < best.Cost {
			best = p
		}
	}
	if best.Noises == nil {
		return nil, "", errors.Join(errs...)
	}
	value["best"] = best.Method.String()
	return value, text + fmt.Sprintf("best: %s\n", best.Method), nil
}

// read checks everything and tells all faults.
func (c *calibrate) read() (dp.Spend, []accounting.Item, error) {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, usageError(fmt.Sprintf(format, args...))) }
	epsilon, err := dp.ParseEpsilon(c.epsilon)
	if err != nil {
		fault("-epsilon: got %q, %s", c.epsilon, err)
	}
	delta, err := dp.ParseDelta(c.delta)
	if err != nil {
		fault("-delta: got %q, %s", c.delta, err)
	}
	if c.statistics < 1 || c.statistics > 1000 {
		fault("-statistics: got %d, want 1 to 1000", c.statistics)
	}
	if c.l0 < 1 || c.l0 > 1_000_000 {
		fault("-l0: got %d, want 1 to 1000000", c.l0)
	}
	if len(errs) > 0 {
		return dp.Spend{}, nil, errors.Join(errs...)
	}
	items := make([]accounting.Item, c.statistics)
	for i := range items {
		items[i] = accounting.Item{Sensitivity: c.sensitivity.value, L0: c.l0, Weight: 1}
	}
	return dp.Spend{Epsilon: epsilon, Delta: delta}, items, nil
}
