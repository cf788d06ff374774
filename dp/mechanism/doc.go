// SPDX-License-Identifier: Apache-2.0

// Package mechanism holds everything random in throng: integer noise, the threshold on a noisy
// number of people, and partition selection. Nothing else in the module draws a random bit that
// reaches an output.
//
// Start with [NewLaplace] and [NewGaussian], which make the noise of one statistic from a scale, and
// [NewThreshold] and [NewSelection], which decide whether a group is shown. Each says what it costs with
// its Event, which package accounting composes, and which scale a budget allows. [Live] performs them
// behind the [Mechanism] interface, the only seam at which a test may put something else (package
// mechanismtest).
//
// # Guarantee
//
// For neighbours that differ in all records of one privacy unit, and provided that the caller's l0 and
// l∞ bounds are true: a [Noise] costs no more than its Event says for all groups of one statistic
// together, a [Threshold] adds its δ, and a [Selection] is (ε, δ)-DP. A group with fewer than k people is
// never shown. Every rounding falls on the side of more noise and fewer groups. The proofs stand beside
// the code: laplace.md, gaussian.md, threshold.md, selection.md.
//
// # Not protected
//
// The time a draw takes depends on the noise drawn. The noise library holds up to 64 KiB of random
// bytes that are not drawn yet. A [Live] mechanism discards them before its first draw, so that two
// processes restored from one memory snapshot share no noise, unless the snapshot was taken while the
// release was drawn. The floating-point steps inside the library's samplers are taken as exact to about 1e-13, relatively.
//
// # Compatibility
//
// The laws drawn belong to github.com/google/differential-privacy/go/v3 v3.0.0. A test compares draws
// with the laws stated here, so a library with another law does not pass unseen.
package mechanism
