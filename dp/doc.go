// SPDX-License-Identifier: Apache-2.0

// Package dp holds the words of differential privacy that the rest of throng speaks: exact privacy
// parameters, spends and budgets, contribution bounds and the neighbouring relation.
//
// Start with [ParseApprox], which reads an (ε, δ) pair exactly, and [Spend], which is what every
// release asks for and every ledger adds up.
//
// # Guarantee
//
// Parameters are exact rationals from the text a person wrote to the last comparison with a budget:
// ten spends of 0.1 fit a budget of 1, and nothing more does. A float appears only where noise is
// calibrated, and is rounded toward more noise ([Epsilon.Float] and [Delta.Float] round down).
//
// # Not protected
//
// This package adds no noise and reads no data. It cannot know whether a sensitivity that it is told
// is true; the engine that bounds contributions must make it so.
package dp
