// SPDX-License-Identifier: Apache-2.0

package mechanismtest

import (
	"errors"
	"math"
	"slices"
	"sync"

	"github.com/throngdp/throng/dp"
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
// noisy number returned by AddNoise; Kept the answer of Show or Select. Epsilon and Delta are those of
// the parameter, which belong to a whole table or statistic and not to the call.
type Call struct {
	Sequence  int
	Operation Operation
	Site      mechanism.Site
	Kind      mechanism.Kind
	Input     int64
	Noisy     int64
	L0, LInf  int64
	Epsilon   dp.Epsilon
	Delta     dp.Delta
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
	c := Call{
		Operation: AddNoise, Site: site, Kind: n.Kind(), Input: x,
		L0: n.L0(), LInf: n.LInf(), Epsilon: n.Epsilon(), Delta: n.Delta(),
	}
	c, err := r.record(c, func(c *Call) (err error) {
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
	c := Call{
		Operation: Show, Site: site, Input: n, Noisy: noisy,
		L0: t.L0(), LInf: 1, Delta: t.Delta(), K: t.K,
	}
	c, err := r.record(c, func(c *Call) (err error) {
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
	c := Call{
		Operation: Select, Site: site, Input: n,
		L0: s.L0(), LInf: 1, Epsilon: s.Epsilon(), Delta: s.Delta(), K: s.K(),
	}
	c, err := r.record(c, func(c *Call) (err error) {
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

// Spent returns the sum of ε and δ over what was called. A parameter covers one draw on each group of a
// table, so (table, statistic, operation, ε, δ) counts once, however many its groups; a second draw at
// the same site counts again. The sum over no calls is 0, 0.
func (r *Recorder) Spent() dp.Spend {
	type charge struct {
		operation        Operation
		table, statistic string
		epsilon, delta   string
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	times := make(map[charge]map[string]int)
	counted := make(map[charge]int)
	total := dp.Spend{}.Add(dp.Spend{})
	for _, c := range r.calls {
		k := charge{c.Operation, c.Site.Table, c.Site.Statistic, c.Epsilon.String(), c.Delta.String()}
		if times[k] == nil {
			times[k] = make(map[string]int)
		}
		times[k][c.Site.Group]++
		if times[k][c.Site.Group] > counted[k] {
			counted[k]++
			total = total.Add(dp.Spend{Epsilon: c.Epsilon, Delta: c.Delta})
		}
	}
	return total
}
