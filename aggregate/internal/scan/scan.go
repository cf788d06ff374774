// SPDX-License-Identifier: Apache-2.0

// Package scan turns the batches of a connector into the rows of the engine: it hashes the privacy
// id, applies the rules, labels the dimensions and reads the values. It keeps no raw value longer
// than a memo of distinct dimension values.
//
// A policy's work is done once per distinct value where values repeat, and an unreadable cell never
// makes an error: it becomes what the policy says it becomes.
package scan

import (
	"sync/atomic"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
	"github.com/throngdp/throng/anonymize/identity"
)

// Input says what to take from one input. Column numbers index Columns.
type Input struct {
	// Columns are the raw columns to ask the connector for; all others are never decoded.
	Columns []string
	IDs     []ID
	// Numbers, where set, numbers records, each of which is a privacy unit of its own; there are no IDs.
	Numbers *atomic.Uint64
	// Links says which ids are one person's; nil for none.
	Links *identity.Links
	// Unit, where set, parts what a person did.
	Unit *Unit
	// Labels are the dimensions that this input carries.
	Labels []Label
	Rules  []Rule
	// Attributes maps each attribute of the engine to one of Labels, -1 where this input says
	// nothing about it.
	Attributes []int
	// Keys lists, for each event-level key of the engine, the Labels that make it.
	Keys   [][]int
	Pairs  *engine.Pairs
	Values []Value
	// Time and Period say which records are events; with Events false none is.
	Time *Time
	// Retention leaves records out that are too old; nil for none.
	Retention *Retention
	Events    bool
}

// ID is one column that may hold the privacy id.
type ID struct {
	Column int
	Kind   identity.Kind
	Hasher identity.Hasher
}

// Label is one dimension.
type Label struct {
	Columns []int
	Join    string
	// Several says that one cell may hold several values, each of which has a label: a list, or a text with Split
	// between them. Attributes have one.
	Several    bool
	Split      string
	Labeler    func() (*generalize.Labeler, error)
	Dictionary *Dictionary
}

// Rule is one exclusion rule: Number is its place among the release's rules.
type Rule struct {
	Number int
	Column int
	Keeps  func(anonymize.Value) bool
	// Unless is a column that lifts the rule, -1 for none.
	Unless int
	Lifts  func(anonymize.Value) bool
	// Given and UnlessGiven, where set, are when what the one or the other column says was given.
	Given, UnlessGiven *Given
}

// Given says by two columns of a record when consent was given and withdrawn.
type Given struct {
	// At and Withdrawn are columns; Withdrawn is -1 where there is none.
	At, Withdrawn int
	Window
}

// holds reports whether consent was given in the window, and not withdrawn then or since.
func (g *Given) holds(batch *table.Batch, row int) bool {
	at, ok := g.Clock.Instant(batch.Columns[g.At].Value(row))
	if !ok || !g.Window.Holds(at) {
		return false
	}
	if g.Withdrawn < 0 {
		return true
	}
	v := batch.Columns[g.Withdrawn].Value(row)
	withdrawn, ok := g.Clock.Instant(v)
	return !v.Valid || ok && withdrawn < at
}

// Value is one value column.
type Value struct {
	Column int
	Number generalize.Number
	// Invalid is the quantum of a cell that cannot be read, or engine.NoValue.
	Invalid int64
}

// Time is the time column and the half-open period, in the clock's unit.
type Time struct {
	Column   int
	Clock    generalize.Clock
	All      bool
	From, To int64
}

// Retention is the first instant whose records count. Others, and those without a readable time, are no events and say
// nothing of attributes.
type Retention struct {
	Column int
	Clock  generalize.Clock
	From   int64
}

// Window is when a consent must have been given to count: from From on, and before Before.
type Window struct {
	Clock        generalize.Clock
	From, Before int64
}

// Holds reports whether an instant of the clock lies in the window.
func (w Window) Holds(at int64) bool { return at >= w.From && at < w.Before }

// Refuses reports what a column must hold instead where a physical type cannot serve: "" where it can.
func (in *Input) Refuses(column int, kind anonymize.Kind) string {
	for _, id := range in.IDs {
		if id.Column == column && !id.Kind.Accepts(kind) {
			return "a type that can hold ids of kind " + string(id.Kind)
		}
	}
	for _, v := range in.Values {
		if v.Column == column && kind == anonymize.Time {
			return "numbers"
		}
	}
	if t := in.Time; t != nil && t.Column == column && kind == anonymize.Bool {
		return "times"
	}
	if r := in.Retention; r != nil && r.Column == column && kind == anonymize.Bool {
		return "times"
	}
	for _, r := range in.Rules {
		for _, g := range []*Given{r.Given, r.UnlessGiven} {
			if g != nil && (g.At == column || g.Withdrawn == column) && kind == anonymize.Bool {
				return "times"
			}
		}
	}
	return ""
}
