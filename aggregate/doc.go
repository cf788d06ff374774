// SPDX-License-Identifier: Apache-2.0

// Package aggregate is throng's front door: it turns raw visitor and usage records into aggregates
// that may be handed to a partner.
//
// A data owner writes a [Policy]: which column is the person, who is left out, what may be shown,
// how many people a group needs, how much privacy may be spent. An analyst writes a [Release], which
// can only ask for less. [NewPlan] says, without reading any data, everything that will happen.
// [Run] does it and returns a [Result], which holds released numbers only. Package bundle writes a
// Result as the files a partner receives.
//
//	policy, err := aggregate.LoadPolicy("policy.yaml")
//	release, err := aggregate.LoadRelease("release.yaml")
//	result, err := aggregate.Run(ctx, policy, release, aggregate.Inputs{Usage: usage, Visitors: visitors})
//
// # Guarantee
//
// For two inputs that differ in all records of one person (added or removed), everything in a
// Result — values, which groups are there, their order, every flag — is (ε, δ)-indistinguishable
// with the ε and δ that [Plan.Spend] reports. No group is shown that fewer than k people are in. An
// error or a log line never holds a value that was read.
//
// # Not protected
//
// Facts about groups; records outside the input; how long a run takes; whoever can read the raw
// files. Spends add up across releases: without a durable [Charger] every run spends again.
//
// # Compatibility
//
// Before version 1 nothing is promised. Files carry a version and are refused when it is not known.
package aggregate
