// SPDX-License-Identifier: Apache-2.0

// Package seam lets tests and the auditor under aggregate/ put their own mechanism and secret in the place of the
// live ones. Nothing outside aggregate/ can import it, so no program can.
package seam

import (
	"context"
	"sync"
	"time"

	"github.com/throngdp/throng/anonymize/identity"
	"github.com/throngdp/throng/dp/mechanism"
)

// Hooks replace what a run takes from the outside world. Zero fields replace nothing.
type Hooks struct {
	Mechanism mechanism.Mechanism
	Secret    identity.Secret
	// Wait is called for what is left of a release's slot.
	Wait func(context.Context, time.Duration) error
	// Plans, where set, keeps what was planned for runs that follow.
	Plans *Plans
}

// Plans keeps what was made of each text, for whoever carries one release out over hundreds of worlds: planning takes
// longer than a small world. The zero value is empty.
type Plans struct {
	mu   sync.Mutex
	made map[string]any
}

// Of returns what was made of a text, and has it made where nothing was.
func (p *Plans) Of(text string, build func() (any, error)) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if of, ok := p.made[text]; ok {
		return of, nil
	}
	of, err := build()
	if err == nil {
		if p.made == nil {
			p.made = map[string]any{}
		}
		p.made[text] = of
	}
	return of, err
}

type key struct{}

// With returns a context under which runs use the hooks.
func With(ctx context.Context, h Hooks) context.Context { return context.WithValue(ctx, key{}, h) }

// From returns the hooks of a context, completed by the live mechanism and a fresh secret.
func From(ctx context.Context) (Hooks, error) {
	h, _ := ctx.Value(key{}).(Hooks)
	if h.Mechanism == nil {
		h.Mechanism = mechanism.Live()
	}
	if !h.Secret.IsSet() {
		s, err := identity.NewSecret()
		if err != nil {
			return Hooks{}, err
		}
		h.Secret = s
	}
	return h, nil
}
