// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/throngdp/throng/aggregate/table"
)

// ErrInputsChanged marks runs during which people may have been left out, or may have consented: an input that says so
// changed. Run it again.
var ErrInputsChanged = errors.New("inputs changed during the run")

// maxReads is how often a run reads its inputs, where they change while it does.
const maxReads = 3

// watch is the inputs that say who is left out and who is who, with the versions that they had.
type watch struct {
	names    []string
	sources  []table.Versioned
	versions []string
}

// newWatch notes the versions of inputs before they are read.
func newWatch(ctx context.Context, c *compiled, in Inputs) (*watch, error) {
	w := &watch{}
	add := func(name string, sources []table.Source) {
		for _, s := range sources {
			if v, ok := s.(table.Versioned); ok {
				w.names, w.sources = append(w.names, name), append(w.sources, v)
			}
		}
	}
	for _, name := range c.inputs {
		if slices.ContainsFunc(c.rules, func(r rule) bool { return r.from == name }) {
			add(string(name), in.of(name))
		}
	}
	add(linksInput, in.Links)
	add(listedInput, in.Listed)
	add(consentsInput, in.Consents)
	for _, s := range w.sources {
		v, err := s.Version(ctx)
		if err != nil {
			return nil, err
		}
		w.versions = append(w.versions, v)
	}
	return w, nil
}

// check returns an error that wraps ErrInputsChanged where an input has another version than it had.
func (w *watch) check(ctx context.Context) error {
	for i, s := range w.sources {
		v, err := s.Version(ctx)
		if err != nil {
			return err
		}
		if v != w.versions[i] {
			return fmt.Errorf("%s input: got a change during the run, want none, as it says who is left out; run it again while nobody writes to it: %w",
				w.names[i], ErrInputsChanged)
		}
	}
	return nil
}
