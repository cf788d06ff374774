// SPDX-License-Identifier: Apache-2.0

// Package estimate says what may be said from noisy integers: intervals for counts and sums, shares
// and means with intervals, and decimals that leave.
//
// Everything here is post-processing. It reads noisy numbers and the laws of their noise, nothing
// else, so it costs no privacy (Dwork and Roth 2014, Proposition 2.1).
//
// Start with [NewCountEstimator] for counts and sums, [NewPartShares] for shares of groups that are
// declared, exclusive and complete, [NewTotalShares] for shares of a total that was charged by
// itself, [NewMeanEstimator], [NewRatioEstimator] and [NewVarianceEstimator] for quotients,
// [NewConsistent] for totals that equal their parts or exceed them. [Round100] and [RoundDecimal] make the numbers
// that are printed; [LeastDenominator] and [Quotable] are the rules that withhold or mark them.
//
// # Formulas
//
// X = n + N is a noisy integer, T(k) = P(N >= k).
//
//   - Count or sum: n is kept if the shown numbers that come before X in n, n+1, n-1, n+2, … have chance
//     below 1-α. Without a threshold that is X-a to X+b with the least a+b; a is b or b+1. With one, the
//     law is that of X given X >= t. Proof, and how narrow a valid interval can be: counts.md. (Neyman
//     1937; shortest acceptance regions, Pratt 1961.)
//   - Share p of X in D, mean m = S/E: p is kept if |X - pD| <= q(p), where q(p) is the quantile of
//     the noise of X - pD, whose true value is 0 under p (Fieller 1954). No normal approximation, no
//     division by a number that may be near 0. Proof: shares.md.
//   - Ratio of two numbers, and variance Q/n - (Y/n)² from centred sums: the range of the expression over
//     intervals of its parts at α/2 or α/3 each, the union bound. Formulas: [RatioEstimator],
//     [VarianceEstimator].
//   - Several shares of one denominator: level α/m each, the union bound. Two shares of one total
//     need none, as they miss together.
//   - A share that was shown because of its own noise: Fieller's test for parts that are seldom withheld, the
//     interval of its count and that of the rest for others. Each hypothesis has one test. Proof: shares.md.
//   - Quantiles: two independent integer laws are summed exactly; the law of several noises comes
//     from the product of characteristic functions, inverted on the lattice (Gil-Pelaez 1951; for
//     integers one period of the integral, which the discrete Fourier transform evaluates). Wide
//     noises are tabulated in steps and rounded outward.
//   - Totals and their parts: weighted least squares (Aitken 1936); each estimate is a known combination
//     of the noises, whose characteristic function gives the interval. Proof: consistent.md.
//   - Displays that add to 100: largest remainder (Hamilton; Balinski and Young 1982).
//
// # Guarantee
//
// An interval of level α misses the true number with probability at most α, given that it was shown,
// for every true number, provided that the laws are those drawn. All quantiles and ends are rounded
// outward. "True" is the number after bounding: intervals cover the noise and exclude what
// contribution bounds removed.
//
// # Not protected
//
// The rule that withholds shares of small denominators ([LeastDenominator]) also selects, by the
// denominator. [TotalShares] allows for it; for [PartShares] the guarantee under that rule reads: the
// chance that an interval is shown and misses is at most α. Statistical figures do not describe the
// population that the data was taken from: there is no sampling error in them.
//
// # Compatibility
//
// testdata/vectors holds inputs and answers that another implementation can check itself against.
package estimate
