// SPDX-License-Identifier: Apache-2.0

// Package accounting adds up what differentially private mechanisms cost together, and finds the noise
// with which a set of statistics costs no more than a budget.
//
// Start with [Composition]: [Composition.Add] lists what is run ([Laplace], [DiscreteLaplace], [Gaussian],
// [Approx], [Failure]), and [Composition.Epsilon] and [Composition.Delta] say what all of it costs.
// [Calibrate] goes the other way, from a budget to scales of noise. [Odometer] and [Filter] keep a running
// total.
//
// The privacy loss of an output is ln(P/Q), the log of how much likelier it is with one person than
// without. Three methods bound its sum over all mechanisms: [Basic] adds ε and δ; [ZCDP] adds ρ, a bound on
// the loss's moments; [PLD] convolves the loss's distribution, which is exact but for rounding.
//
// # Guarantee
//
// For neighbours that differ in all records of one privacy unit, added or removed: the composition is
// (ε, δ)-differentially private for every pair returned. Every rounding, of a float, of a grid, of a tail
// cut off or of the Fourier transform, is toward a larger ε and a larger δ. Each mechanism here is dominated
// by a pair of laws that is the same with its two sides exchanged, so adding and removing cost the same.
//
// # Not protected
//
// Totals of a Composition hold for mechanisms whose parameters are fixed before the first output is seen.
// Where parameters are chosen from earlier outputs only a [Filter] holds. Sensitivities are taken as
// told. The laws are ideal: what a sampler does otherwise is declared with [Event.Within].
//
// # Compatibility
//
// Results may fall, never below the exact value, when a bound improves.
package accounting
