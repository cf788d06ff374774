// SPDX-License-Identifier: Apache-2.0

package engine

import "sync"

// bucketBits is the number of high bits of a person's hash that choose a bucket. With a thousand
// buckets the people of one, of a million, fit the second-level cache while its rows are folded.
const bucketBits = 10

func bucketOf(hi uint64) int { return int(hi >> (64 - bucketBits)) }

// Engine accumulates rows. Its workers may run concurrently. Whoever makes one discards it.
type Engine struct {
	spec    Spec
	layout  layout
	plans   []plan
	buckets []bucket
	pairs   Pairs
	pool    pool
	memory  memory

	// maxRoom is how many rows a piece holds at most, and minGathered how many a bucket gathers at least.
	maxRoom, minGathered int

	// closing are the tables as Close takes them: the spec's, or with narrower bounds.
	closing []Table

	formsMu sync.Mutex
	forms   []*form
}

// New returns an engine for a spec, whose tables and bounds must have been validated.
func New(spec Spec) *Engine {
	e := &Engine{
		spec: spec, layout: newLayout(&spec), buckets: make([]bucket, 1<<bucketBits),
		maxRoom: pieceWords, minGathered: minGathered,
	}
	e.plans, e.closing = e.layout.plans(&e.spec), e.spec.Tables
	return e
}

// PersonPairs resolves the person-level codes of groups back to attribute codes.
func (e *Engine) PersonPairs() *Pairs { return &e.pairs }
