// SPDX-License-Identifier: Apache-2.0

// Package audit tests claims of differential privacy from samples. It is statistics on numbers that were
// drawn already: it draws nothing, and knows no mechanism.
//
// Start with [Search], which turns the outputs of a mechanism on two neighbouring inputs into a lower bound
// on its ε, and [SearchMu], which does so for Gaussian noise. Both choose an event on the first half of each
// sample and test it on the second, where the bounds of Clopper and Pearson ([Lower], [Upper]) hold for
// any number of draws. [AtLeast] and [AtMost] are exact tests of a single probability, such as δ.
//
// # Guarantee
//
// A bound at level alpha is above the true ε of a mechanism with probability at most alpha, whatever its
// law: a claim below it is refuted, up to alpha. Every rounding falls on the side of the claim. A bound
// below the claim proves nothing: too few draws, or too weak an event.
//
// # Not protected
//
// Samples are taken as independent draws. No sample of n draws shows a δ far below 1/n: test a claim of δ on
// parameters where it is large.
package audit
