// SPDX-License-Identifier: Apache-2.0

// Package bundle writes a Result as the folder that a partner receives, and checks such a folder.
//
//	data/TABLE.csv      one row per group and statistic; UTF-8, comma, LF
//	data/TABLE.parquet  the same rows
//	release.json        what was promised: unit, neighbours, k, ε, δ, mechanisms, bounds, exclusions
//	README.md           how to read the numbers
//	SHA256SUMS          checked by sha256sum -c
//
// Start with [Write] and [Verify].
//
// # Guarantee
//
// Every byte of a bundle is a function of the Result, which holds released numbers only: files are
// built from published rows alone and carry no dictionary, statistics, times or names of the machine.
// The folder appears whole or not at all.
//
// # Not protected
//
// SHA256SUMS shows damage, not forgery: whoever can change a file can change its sum.
//
// # Compatibility
//
// The columns of a table file are its dimensions and then statistic, unit, value, display, ci_low,
// ci_high, obs_status. Before version 1 nothing is promised.
package bundle
