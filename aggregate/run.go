// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/throngdp/throng/aggregate/internal/engine"
	"github.com/throngdp/throng/aggregate/internal/scan"
	"github.com/throngdp/throng/aggregate/internal/seam"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/anonymize/identity"
	"github.com/throngdp/throng/dp/mechanism"
)

// Inputs are the records of a run. Each source of an input has the columns that the policy names.
type Inputs struct {
	Visitors, Usage []table.Source
	// Links are records of ids that are one person's, for a policy with links.
	Links []table.Source
	// Listed are records of ids of people who are left out, for a policy with exclude.listed.
	Listed []table.Source
	// Consents are records of what people have decided, for a policy with exclude.consents.
	Consents []table.Source
}

func (in Inputs) of(name InputName) []table.Source {
	if name == Visitors {
		return in.Visitors
	}
	return in.Usage
}

// ErrInputs marks inputs that do not fit the policy: one is missing, has nobody to read it, or has the same records twice.
var ErrInputs = errors.New("inputs do not fit the policy")

// Progress is how far a run has come. It tells input bytes and records, which are raw numbers: for
// the eyes of whoever holds the data anyway, and never for a log that others read.
type Progress struct {
	Bytes, TotalBytes int64
	Records           int64
}

// Runner carries out releases. The zero value is ready: it uses every processor and charges a ledger
// in memory that nobody keeps. A Runner may carry out several releases at once if its Charger may.
type Runner struct {
	// Workers is how many goroutines read and aggregate; 0 means one per processor.
	Workers int
	// Charger records what is spent. Nil means a [MemoryCharger] of this run alone.
	Charger Charger
	// MemoryLimit is how many bytes the records may take up in memory, with what the garbage collector
	// leaves of them; 0 means no limit. People that are too many go to an encrypted temporary file. It
	// does not count what holds for any number of records: some 50 MB for buffers and the program
	// itself, the labels and groups that the tables find, links, and a decision for each person of a log
	// of consents. Less than 64 MiB is refused.
	MemoryLimit int64
	// TempDir is the folder of that file; "" means the system's.
	TempDir string
	// Key, where set, hashes ids in place of a key of the run alone, so that people whom the cap of links cuts apart are cut
	// apart in the same way in every run for a population. Which of their groups and records count is drawn anew
	// all the same. It is as secret as the records; [identity.SecretFromFile] reads one.
	Key identity.Secret
	// Slot is what a run takes whole multiples of, from its begin to its result: how long noise takes to draw
	// depends on its size, and nothing finer than a slot tells. 0 means 100 ms; a negative one waits for nothing,
	// for whoever keeps the time a run takes to themselves. Errors are not held back: none comes of noise.
	Slot time.Duration
	// Progress, where set, is called from time to time, never concurrently.
	Progress func(Progress)
}

// defaultSlot is long beside what noise takes to draw.
const defaultSlot = 100 * time.Millisecond

// minMemoryLimit is the least limit that a Runner can keep.
const minMemoryLimit = 64 << 20

// Run carries out a release with the zero [Runner].
func Run(ctx context.Context, p *Policy, r *Release, in Inputs) (*Result, error) {
	return (&Runner{}).Run(ctx, p, r, in)
}

// Run reads the inputs, charges the release and draws its numbers. It returns [*FieldError]s joined
// where the policy or the release is at fault, [*table.Error]s where a file is, an error that wraps
// [dp.ErrBudgetExhausted] where the budget is, [ErrInputsChanged] where inputs keep changing that say
// who is left out, and ctx.Err() where it was cancelled. On an error nothing is released; a charge that was made stays.
//
// Inputs that say who is left out and are [table.Versioned] are looked at before they are read, before the charge and before
// the result is returned. Where one has changed before the charge, all are read again, three times at most, and progress
// begins anew.
func (rn *Runner) Run(ctx context.Context, p *Policy, r *Release, in Inputs) (*Result, error) {
	begin := time.Now()
	rd, err := rn.read(ctx, p, r, in)
	if err != nil {
		return nil, err
	}
	defer rd.s.engine.Discard()
	plan := rd.plan
	charger := rn.Charger
	if charger == nil {
		charger = &MemoryCharger{}
	}
	if err := charger.Charge(ctx, rd.c.charge(plan)); err != nil {
		return nil, err
	}
	tables, err := rd.release(ctx)
	if err != nil {
		return nil, fmt.Errorf("releasing (the charge stays): %w", err)
	}
	if err := rd.wait(ctx, rn.rest(time.Since(begin))); err != nil {
		return nil, fmt.Errorf("releasing (the charge stays): %w", err)
	}
	if err := rd.watch.check(ctx); err != nil {
		return nil, fmt.Errorf("releasing (the charge stays): %w", err)
	}
	_, forgets := charger.(*MemoryCharger)
	if rd.c.surveys() {
		plan = newPlan(rd.c)
	}
	return &Result{Plan: plan, Tables: tables, Recorded: !forgets}, nil
}

// rest is what is left of a slot of which a run has taken some or more.
func (rn *Runner) rest(taken time.Duration) time.Duration {
	slot := cmp.Or(rn.Slot, defaultSlot)
	if slot < 0 || taken%slot == 0 {
		return 0
	}
	return slot - taken%slot
}

// wait waits for a time, or until a context is cancelled.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reading is a release whose data has been read and of which nothing has been charged or drawn.
type reading struct {
	c       *compiled
	plan    *Plan
	s       *scanner
	workers int
	// partials are nil where bounds are to be found first.
	partials  *engine.Partials
	mechanism mechanism.Mechanism
	wait      func(context.Context, time.Duration) error
	watch     *watch
}

// release draws everything. The release has been charged.
func (rd *reading) release(ctx context.Context) ([]ResultTable, error) {
	if rd.partials == nil {
		if err := rd.find(ctx); err != nil {
			return nil, err
		}
		var err error
		if rd.partials, err = rd.s.engine.Close(ctx, rd.workers); err != nil {
			return nil, err
		}
	}
	return publish(ctx, rd.c, rd.s, rd.partials, rd.mechanism)
}

func (rn *Runner) read(ctx context.Context, p *Policy, r *Release, in Inputs) (*reading, error) {
	if rn.MemoryLimit != 0 && rn.MemoryLimit < minMemoryLimit {
		return nil, fmt.Errorf("MemoryLimit: got %d, want 0 or at least %d bytes; raise it", rn.MemoryLimit, minMemoryLimit)
	}
	hooks, err := seam.From(ctx)
	if err != nil {
		return nil, err
	}
	c, plan, err := planned(hooks.Plans, p, r)
	if err != nil {
		return nil, err
	}
	for reads := 1; ; reads++ {
		rd, err := rn.readOnce(ctx, c, plan, hooks, in)
		if err == nil || reads == maxReads || !errors.Is(err, ErrInputsChanged) {
			return rd, err
		}
	}
}

// readOnce reads the inputs. Its error wraps ErrInputsChanged where some changed meanwhile that say who is left out:
// whoever withdrew is then in none of it, or in all.
func (rn *Runner) readOnce(ctx context.Context, c *compiled, plan *Plan, hooks seam.Hooks, in Inputs) (*reading, error) {
	ids := hooks.Secret
	if rn.Key.IsSet() {
		ids = rn.Key
	}
	watch, err := newWatch(ctx, c, in)
	if err != nil {
		return nil, err
	}
	s := newScanner(c, hooks.Secret, ids)
	if rn.MemoryLimit > 0 {
		// The collector lets a heap grow to twice what lives in it.
		s.engine.SpillBeyond(rn.MemoryLimit/2, rn.TempDir)
	}
	rd := &reading{c: c, plan: plan, s: s, workers: rn.Workers, mechanism: hooks.Mechanism, wait: wait, watch: watch}
	if rd.workers <= 0 {
		rd.workers = runtime.GOMAXPROCS(0)
	}
	err = rd.scan(ctx, c.policy, in, rn.Progress)
	if changed := watch.check(ctx); changed != nil && ctx.Err() == nil {
		err = changed // which may be why the scan failed
	}
	if err != nil {
		s.engine.Discard()
		return nil, err
	}
	if hooks.Wait != nil {
		rd.wait = hooks.Wait
	}
	return rd, nil
}

// planned compiles and plans, or finds what was planned for the same policy and release.
func planned(plans *seam.Plans, p *Policy, r *Release) (*compiled, *Plan, error) {
	type both struct {
		c    *compiled
		plan *Plan
	}
	build := func() (any, error) {
		c, err := compile(p, r)
		if err != nil {
			return both{}, err
		}
		return both{c, newPlan(c)}, nil
	}
	if plans == nil {
		b, err := build()
		return b.(both).c, b.(both).plan, err
	}
	text, err := json.Marshal([]any{p, r})
	if err != nil {
		return nil, nil, err
	}
	b, err := plans.Of(string(text), build)
	return b.(both).c, b.(both).plan, err
}

func (c *compiled) charge(plan *Plan) Charge {
	return Charge{
		Population: c.policy.Population, Release: c.release.Name, Snapshot: c.release.Snapshot,
		Recipient: c.release.Recipient, Purpose: c.release.Purpose, Period: c.release.Period,
		Unit: c.policy.unitName(), Spend: c.spend(), Budget: c.policy.Budget, Plan: plan.String(),
	}
}

// scan feeds usage and then visitors to the engine: people are known by then, and who has no usage is
// nobody.
func (rd *reading) scan(ctx context.Context, p *Policy, in Inputs, progress func(Progress)) error {
	s := rd.s
	if err := s.check(ctx, p.inputs(), in); err != nil {
		return err
	}
	meter := &meter{report: progress}
	for _, src := range slices.Concat(in.Links, in.Listed, in.Consents) {
		meter.now.TotalBytes += src.Size()
	}
	for _, name := range s.inputs {
		for _, src := range in.of(name) {
			meter.now.TotalBytes += src.Size()
		}
	}
	if err := s.link(ctx, in.Links, meter); err != nil {
		return err
	}
	for i, name := range s.inputs {
		join := i > 0
		for _, src := range in.of(name) {
			if err := s.source(ctx, src, s.input(name), rd.workers, join, meter); err != nil {
				return err
			}
		}
	}
	if err := s.leaveOut(ctx, in.Listed, meter); err != nil {
		return err
	}
	if err := s.settle(ctx, rd.c.consents, p.Exclude.Consents, in.Consents, meter); err != nil {
		return err
	}
	if rd.c.surveys() {
		return nil
	}
	var err error
	rd.partials, err = s.engine.Close(ctx, rd.workers)
	return err
}

// source scans one source with up to workers goroutines, each with one reader at a time.
func (s *scanner) source(ctx context.Context, src table.Source, in *scan.Input, workers int, join bool, m *meter) error {
	readers, err := src.Open(ctx, in.Columns)
	if err != nil {
		return err
	}
	defer func() {
		for _, r := range readers {
			r.Close()
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, len(readers))
	flushed := make([]error, min(workers, len(readers)))
	for w := range flushed {
		wg.Go(func() {
			b, err := scan.NewBuilder(in)
			worker := s.engine.Worker()
			for {
				n := int(next.Add(1)) - 1
				if n >= len(readers) {
					break
				}
				if err == nil {
					err = s.reader(ctx, readers[n], b, worker, join, m)
				}
				if errs[n] = err; err != nil {
					cancel()
					return
				}
			}
			flushed[w] = worker.Flush()
		})
	}
	wg.Wait()
	errs = append(errs, flushed...)
	// One failure cancels the others: it is the one to tell.
	cancelled := func(err error) bool { return err == nil || errors.Is(err, context.Canceled) }
	if i := slices.IndexFunc(errs, func(err error) bool { return !cancelled(err) }); i >= 0 {
		return errs[i]
	}
	return cmp.Or(errs...)
}

func (s *scanner) reader(ctx context.Context, r table.Reader, b *scan.Builder, worker *engine.Worker, join bool, m *meter) error {
	defer r.Close()
	var batch table.Batch
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := r.Next(ctx, &batch)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for rows := b.Rows(&batch); rows != nil; rows = b.Copies() {
			if err := worker.Add(rows, join); err != nil {
				return err
			}
		}
		m.add(batch.Bytes, int64(batch.Len))
	}
}

// meter adds up progress.
type meter struct {
	mu     sync.Mutex
	now    Progress
	report func(Progress)
}

func (m *meter) add(bytes, records int64) {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Bytes += bytes
	m.now.Records += records
	m.report(m.now)
}
