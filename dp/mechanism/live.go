// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"sync"

	"github.com/google/differential-privacy/go/v3/noise"
)

// Errors of the data plane are fixed texts: they hold no input, and the library's, which do, are never
// wrapped.
var (
	errUncalibrated = errors.New("mechanism: got uncalibrated or changed parameters, want a value from its constructor")
	errInput        = errors.New("mechanism: got an input outside its range, want sums within 2^61 and numbers of people from 0 to 2^61")
	errLibrary      = errors.New("mechanism: the noise library refused calibrated parameters")
	errRandom       = errors.New("mechanism: the system's random source failed")
)

// Live returns the mechanism that releases use: one for each release. Its noise is made of random bytes that the
// system gave after its first draw was asked for. It is safe for concurrent use.
func Live() Mechanism { return newLive(rand.Reader, discardDrawn) }

// live draws selection bits from random, and noise from the library, which reads the system's source ahead:
// renew makes it read anew, once.
type live struct {
	random io.Reader
	renew  func()
}

func newLive(random io.Reader, renew func()) live { return live{random, sync.OnceFunc(renew)} }

func (l live) AddNoise(_ Site, n Noise, x int64) (int64, error) {
	if n.kind == 0 {
		return 0, errUncalibrated
	}
	if x > maxInput || x < -maxInput {
		return 0, errInput
	}
	// The library adds without an overflow check and rounds in its own way, so noise is drawn at 0 and
	// added here.
	law, epsilon, delta := noise.Laplace(), float64(libraryEpsilon), 0.0
	if n.kind == Gaussian {
		law, epsilon, delta = noise.Gaussian(), gaussianEpsilon, gaussianDelta
	}
	l.renew()
	drawn, err := law.AddNoiseInt64(0, 1, n.sensitivity, epsilon, delta)
	if err != nil {
		return 0, errLibrary
	}
	return saturatingAdd(x, rounded(drawn, n.refinement)), nil
}

func (live) Show(_ Site, t Threshold, n, noisy int64) (bool, error) {
	if !t.calibrated() {
		return false, errUncalibrated
	}
	if n < 0 || n > maxInput {
		return false, errInput
	}
	return n >= t.K && noisy >= t.At, nil
}

func (l live) Select(_ Site, s Selection, n int64) (bool, error) {
	if s.curve == nil {
		return false, errUncalibrated
	}
	if n < 0 || n > maxInput {
		return false, errInput
	}
	c, certain := s.keep(n)
	if certain || c == 0 {
		return certain, nil
	}
	var draw [8]byte
	if _, err := io.ReadFull(l.random, draw[:]); err != nil {
		return false, errRandom
	}
	return binary.LittleEndian.Uint64(draw[:]) < c, nil
}

// saturatingAdd returns a + b, or the end of the range that it passes.
func saturatingAdd(a, b int64) int64 {
	sum := a + b
	switch {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}
