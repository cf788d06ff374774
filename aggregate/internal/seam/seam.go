// SPDX-License-Identifier: Apache-2.0

// Package seam lets tests under aggregate/ put their own mechanism and secret in the place of the
// live ones. Nothing outside aggregate/ can import it, so no program can.
package seam

import (
	"context"
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
