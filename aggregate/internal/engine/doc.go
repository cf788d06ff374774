// SPDX-License-Identifier: Apache-2.0

// Package engine is the hot loop: it scatters rows by person, bounds what each person may add, and
// accumulates exact integers per group.
//
// A [Engine] is built from a [Spec]; each goroutine takes a [Worker], hands it [Rows] and flushes
// it; [Engine.Close] then returns [Partials], which are exact and must reach nobody except through
// a charged mechanism.
//
// # Guarantee
//
// The partials are a function of the multiset of rows, the spec and the run's seed alone. Row order,
// batch size, the number of workers and the order of merging cannot change them: a person's kept
// groups are the ones with the smallest keyed priority, everything else is addition of integers, and
// group identity is exact. Removing one person changes at most MaxPartitions groups of a table, each
// by at most 1 visitor, MaxPerPartition events and MaxPerPartition times the clamp (see [Table]).
package engine
