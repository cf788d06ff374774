// SPDX-License-Identifier: Apache-2.0

// Package folder writes a partner's folder as a whole or not at all, and checks one that exists.
//
// Start with [Write], [CheckTarget] and [Verify]. A folder holds files and SHA256SUMS, which "sha256sum -c" reads.
//
// # Guarantee
//
// Whoever looks at the target sees the old folder or the new one, complete, and never a part of one:
// files are written aside, flushed to disk, and put in place by one rename. On Linux an existing folder
// is exchanged with the new one in one step; elsewhere it is moved aside first, and put back should
// the second step fail or the process die in between. An existing folder is replaced only where
// SHA256SUMS vouches for all of its content. While it is being written nobody but the owner can read
// it. An error or a cancelled context leaves the target as it was and nothing beside it; what a killed
// process leaves is removed by the next write to the same target.
//
// Bundles at the first level of a bundle are carried over when the outer one is replaced. At any moment
// they are in what stands at the target.
//
// Any number of writers may work on one target at the same time: each folder that appears there is
// the work of one of them.
//
// # Not protected
//
// SHA256SUMS finds damage, not malice: whoever can write the folder can write its sums. Processes that
// hold the owner's rights are trusted. Network file systems without file locks are treated like
// systems that have none: leftovers are then removed only after a day.
package folder
