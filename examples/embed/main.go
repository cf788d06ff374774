// SPDX-License-Identifier: Apache-2.0

// Command embed is an analytics service in small: it keeps events in memory and, on request, answers
// with an aggregate that may be handed on. It shows the package as a library: no files, a charger that
// outlives single releases, and refusals as values.
//
//	go run ./examples/embed
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/structio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp"
	"github.com/throngdp/throng/examples/internal/nocore"
)

func main() {
	_ = nocore.Set() // memory holds records: it stays out of core files
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

// View is what the service logs. Email has no tag, so throng never reads it.
type View struct {
	UserID string    `throng:"user_id"`
	Email  string    `throng:"-"`
	Plan   string    `throng:"plan"`
	Page   string    `throng:"page"`
	At     time.Time `throng:"at"`
}

// policy is what the data owner allows, as a Go value.
var policy = &aggregate.Policy{
	Version: 1, Population: "service-users",
	PrivacyUnit: aggregate.PrivacyUnit{IDs: []aggregate.IDColumn{{Column: "user_id", Kind: "opaque"}}},
	Columns: map[string]aggregate.Column{
		"plan": {From: aggregate.Usage, Of: aggregate.OfPerson, Role: aggregate.Dimension,
			Groups: aggregate.Groups{Declared: []string{"free", "paid", "unknown"}}},
		"page": {From: aggregate.Usage, Of: aggregate.OfEvent, Role: aggregate.Dimension,
			Groups: aggregate.Groups{Private: true}},
		"at": {From: aggregate.Usage, Role: aggregate.TimeRole, As: "rfc3339"},
	},
	MinPeople:  aggregate.MinPeople{K: 20},
	Budget:     dp.MustApprox("2", "1e-8"),
	Recipients: map[string]aggregate.Recipient{"dashboard": {Purposes: []string{"product"}}},
}

// release is what the service asks for on one day.
func release(day string) *aggregate.Release {
	from, _ := time.Parse(time.DateOnly, day)
	return &aggregate.Release{
		Version: 1, Name: "daily", Snapshot: day, Recipient: "dashboard", Purpose: "product",
		Period: aggregate.Period{From: day, To: from.AddDate(0, 0, 1).Format(time.DateOnly)},
		Spend:  dp.MustApprox("1", "1e-9"),
		Tables: []aggregate.Table{
			{Name: "plan", GroupBy: []string{"plan"}, Statistics: []aggregate.Statistic{
				{Kind: aggregate.CountVisitors}, {Kind: aggregate.ShareOf, Of: "visitors"}}},
			{Name: "page", GroupBy: []string{"page"}, Bounds: dp.ContributionBounds{MaxPartitions: 2},
				Statistics: []aggregate.Statistic{{Kind: aggregate.CountVisitors}}},
		},
	}
}

func run(ctx context.Context, out io.Writer) error {
	source, err := structio.Slice("views", views())
	if err != nil {
		return err
	}
	inputs := aggregate.Inputs{Usage: []table.Source{source}}
	// One charger for the life of the service. A durable one implements the same interface.
	runner := &aggregate.Runner{Charger: &aggregate.MemoryCharger{}}
	for _, day := range []string{"2026-03-16", "2026-03-17", "2026-03-18"} {
		result, err := runner.Run(ctx, policy, release(day), inputs)
		if errors.Is(err, dp.ErrBudgetExhausted) {
			fmt.Fprintf(out, "%s: refused, the budget is spent\n", day)
			continue
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s:\n", day)
		for _, t := range result.Tables {
			for _, row := range t.Rows {
				if row.Status != aggregate.Withheld {
					fmt.Fprintf(out, "  %-8s %-9s %6s %s (%s to %s)\n", row.Group[0], row.Statistic, row.Display, row.Unit, row.Low, row.High)
				}
			}
		}
	}
	return nil
}

// views makes up what a service would have in memory: 900 users, a third of them paying.
func views() []View {
	var all []View
	start := time.Date(2026, 3, 16, 8, 0, 0, 0, time.UTC)
	for user := range 900 {
		plan := "free"
		if user%3 == 0 {
			plan = "paid"
		}
		for day := range 3 {
			for view := range 1 + user%4 {
				all = append(all, View{
					UserID: fmt.Sprintf("u%04d", user), Email: fmt.Sprintf("u%04d@example.org", user), Plan: plan,
					Page: []string{"/home", "/search", "/settings", "/help"}[(user+view)%4],
					At:   start.AddDate(0, 0, day).Add(time.Duration(user+view) * time.Second),
				})
			}
		}
	}
	return all
}
