// SPDX-License-Identifier: Apache-2.0

// Package mechanismtest records what a release asks of [mechanism.Mechanism], and can silence, shift or
// replay its randomness. It is the only way to silence noise, and belongs in tests and audits alone.
//
// Start with [New], run the release with the recorder in place of mechanism.Live, then read
// [Recorder.Calls], compare [Recorder.Spent] with the charge in the ledger, and check
// [Recorder.Unrecorded] after a replay.
//
// # Guarantee
//
// None. A recorder holds raw inputs and, except in mode [Live], adds no noise that protects them.
//
// # Not protected
//
// Everything: never let a recorder see data of people outside a test or an audit.
//
// # Compatibility
//
// Follows package mechanism.
package mechanismtest
