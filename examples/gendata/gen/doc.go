// SPDX-License-Identifier: Apache-2.0

// Package gen makes up visitor and usage records with the faults that real ones have: genders spelled
// in a dozen ways, birth years that are fillers, ids that stand for nobody, people registered twice,
// durations that cannot be, addresses and names where nobody looks for them.
//
// Start with [New]; [Generator.Visitors] and [Generator.Usage] yield the records. The same [Config]
// yields the same records, on every machine. Nobody in them exists: mail domains and network addresses
// are those reserved for documentation and tests.
//
// It is for demos, tests and benchmarks. Its randomness is not secret and must not serve as noise.
package gen
