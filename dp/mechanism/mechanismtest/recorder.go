// SPDX-License-Identifier: Apache-2.0

package mechanismtest

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"sync"

	"github.com/throngdp/throng/dp/accounting"
	"github.com/throngdp/throng/dp/mechanism"
)

// Mode says what a [Recorder] answers.
type Mode uint8

const (
	// Live answers as mechanism.Live does, with real noise.
	Live Mode = iota + 1
	// Zero adds nothing and shows and selects every group of at least k people: noise off.
	Zero
	// PlusHuge adds 2^60, and selects every group that could be selected.
	PlusHuge
	// MinusHuge subtracts 2^60, and selects only groups that are selected with certainty.
	MinusHuge
	// replay answers as recorded; see [NewReplay].
	replay
)

const huge = int64(1) << 60

var (
	errUncalibrated = errors.New("mechanismtest: got uncalibrated parameters")
	errMode         = errors.New("mechanismtest: got an unknown mode; use New or NewReplay")
)

// Operation is a method of mechanism.Mechanism.
type Operation uint8

// The operations.
const (
	AddNoise Operation = iota + 1
	Show
	Select
)

// Call is one recorded call. Input is the raw number given; Noisy the second number of Show; Output the
// noisy number returned by AddNoise; Kept the answer of Show or Select. Event and Times are what the
// parameter costs, which belongs to a whole table or statistic and not to the call.
type Call struct {
	Sequence  int
	Operation Operation
	Site      mechanism.Site
	Kind      mechanism.Kind
	Input     int64
	Noisy     int64
	Scale     float64 // of noise
	L0, LInf  int64
	L1        int64
	Cells     int64 // of noise
	Event     accounting.Event
	Times     int64
	K         int64
	Output    int64
	Kept      bool
}

// key identifies what a replayed call must have in common with a recorded one.
type key struct {
	operation Operation
	site      mechanism.Site
}

// Recorder is a mechanism.Mechanism that records. The zero value answers nothing. It is safe for
// concurrent use; the order of Sequence is then the order of arrival.
type Recorder struct {
	mode Mode
	live mechanism.Mechanism

	mu         sync.Mutex
	calls      []Call
	recorded   map[key][]Call
	unrecorded []Call
}

var _ mechanism.Mechanism = (*Recorder)(nil)

// New returns an empty recorder in mode Live, Zero, PlusHuge or MinusHuge.
func New(mode Mode) *Recorder { return &Recorder{mode: mode, live: mechanism.Live()} }

// NewReplay returns a recorder that answers each call as the recorded call of the same operation and
// site was answered, whatever its input; repeated calls at one site get the recorded answers in turn.
// A call without a recorded answer is answered 0 or false and listed by Unrecorded.
func NewReplay(calls []Call) *Recorder {
	r := &Recorder{mode: replay, recorded: make(map[key][]Call)}
	for _, c := range calls {
		k := key{c.Operation, c.Site}
		r.recorded[k] = append(r.recorded[k], c)
	}
	return r
}

// AddNoise implements mechanism.Mechanism.
func (r *Recorder) AddNoise(site mechanism.Site, n mechanism.Noise, x int64) (int64, error) {
	if n.Kind() == 0 {
		return 0, errUncalibrated
	}
	event, times, err := n.Event()
	if err != nil {
		return 0, err
	}
	c := Call{
		Operation: AddNoise, Site: site, Kind: n.Kind(), Input: x,
		Scale: n.Scale(), L0: n.L0(), LInf: n.LInf(), L1: n.L1(), Cells: n.Cells(), Event: event, Times: times,
	}
	c, err = r.record(c, func(c *Call) (err error) {
		switch r.mode {
		case Live:
			c.Output, err = r.live.AddNoise(site, n, x)
		case Zero:
			c.Output = x
		case PlusHuge:
			c.Output = min(x, math.MaxInt64-huge) + huge
		case MinusHuge:
			c.Output = max(x, math.MinInt64+huge) - huge
		default:
			return errMode
		}
		return err
	})
	return c.Output, err
}

// Show implements mechanism.Mechanism.
func (r *Recorder) Show(site mechanism.Site, t mechanism.Threshold, n, noisy int64) (bool, error) {
	event, err := t.Event()
	if err != nil {
		return false, errUncalibrated
	}
	c := Call{
		Operation: Show, Site: site, Input: n, Noisy: noisy,
		L0: t.L0(), LInf: 1, L1: t.L0(), Event: event, Times: 1, K: t.K,
	}
	c, err = r.record(c, func(c *Call) (err error) {
		// The real rule also refuses what is not calibrated.
		c.Kept, err = mechanism.Live().Show(site, t, n, noisy)
		switch {
		case err != nil:
			return err
		case r.mode == Zero:
			c.Kept = n >= t.K
		case r.mode < Live || r.mode > MinusHuge:
			return errMode
		}
		return nil
	})
	return c.Kept, err
}

// Select implements mechanism.Mechanism.
func (r *Recorder) Select(site mechanism.Site, s mechanism.Selection, n int64) (bool, error) {
	if s.K() == 0 {
		return false, errUncalibrated
	}
	event, times, err := s.Event()
	if err != nil {
		return false, err
	}
	c := Call{
		Operation: Select, Site: site, Input: n,
		L0: s.L0(), LInf: 1, L1: s.L0(), Event: event, Times: times, K: s.K(),
	}
	c, err = r.record(c, func(c *Call) (err error) {
		switch r.mode {
		case Live:
			c.Kept, err = r.live.Select(site, s, n)
		case Zero:
			c.Kept = n >= s.K()
		case PlusHuge:
			c.Kept = s.KeepProbability(n) > 0
		case MinusHuge:
			c.Kept = s.KeepProbability(n) == 1
		default:
			return errMode
		}
		return err
	})
	return c.Kept, err
}

// record answers c, by answer or from the recording, and keeps it.
func (r *Recorder) record(c Call, answer func(*Call) error) (Call, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.Sequence = len(r.calls)
	if r.mode == replay {
		r.replayed(&c)
	} else if err := answer(&c); err != nil {
		return Call{}, err
	}
	r.calls = append(r.calls, c)
	return c, nil
}

func (r *Recorder) replayed(c *Call) {
	k := key{c.Operation, c.Site}
	left := r.recorded[k]
	if len(left) == 0 {
		r.unrecorded = append(r.unrecorded, *c)
		return
	}
	c.Output, c.Kept = left[0].Output, left[0].Kept
	r.recorded[k] = left[1:]
}

// Calls returns a copy of the recorded calls in order.
func (r *Recorder) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// Unrecorded returns a copy of the calls of a replay that no recorded call answered.
func (r *Recorder) Unrecorded() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.unrecorded)
}

// Composition returns all that was called. A parameter covers one draw on each group of a table, so that
// (table, statistic, operation, parameter) counts once, however many its groups; a second draw at the same
// site counts again.
func (r *Recorder) Composition() (accounting.Composition, error) {
	return r.CompositionOf(func(Call) bool { return true })
}

// CompositionOf returns what the calls compose to for which of returns true, as Composition does.
func (r *Recorder) CompositionOf(of func(Call) bool) (accounting.Composition, error) {
	type where struct {
		operation        Operation
		table, statistic string
	}
	type charge struct {
		event   accounting.Event
		times   map[string]int // by group
		counted int
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	charges := make(map[where][]*charge)
	var all accounting.Composition
	for _, c := range r.calls {
		if !of(c) {
			continue
		}
		w := where{c.Operation, c.Site.Table, c.Site.Statistic}
		i := slices.IndexFunc(charges[w], func(ch *charge) bool { return reflect.DeepEqual(ch.event, c.Event) })
		if i < 0 {
			i = len(charges[w])
			charges[w] = append(charges[w], &charge{event: c.Event, times: make(map[string]int)})
		}
		ch := charges[w][i]
		ch.times[c.Site.Group]++
		if ch.times[c.Site.Group] <= ch.counted {
			continue
		}
		ch.counted++
		var err error
		if all, err = all.Add(c.Event, c.Times); err != nil {
			return all, err
		}
	}
	return all, nil
}
