// SPDX-License-Identifier: Apache-2.0

// Package audit checks what a release claims by carrying it out on worst cases. It reads no data: from a
// policy and a release it makes up worlds of records and their neighbours, which differ in all records of
// one person who tries to count for more than one.
//
// Start with [Run]. It returns a [Report]: rules that hold exactly or not at all, and lower bounds on ε from
// samples of the real noise.
//
// # The rules
//
// A recorder in place of the mechanism keeps what every draw was asked for. Between neighbours no statistic
// may change in more groups or by more than its noise was made for. With the noise frozen, neighbours must
// give the same result and ask the same questions, but for groups that a charged choice then hides. No group
// below k may be shown. What was drawn must be what was planned and cost no more than was charged. The
// order of records and the number of workers must change nothing.
//
// # The samples
//
// For each statistic the worst change found is drawn many times on both sides, and package dp/audit says how
// large its ε or μ is at least, how wide the noise is at most, and how often a lone person shows a group. One
// more test looks at all statistics together.
//
// # Guarantee
//
// A rule that failed is a fault: none fails by chance. A sound release fails any of the sampled tests with
// probability at most Options.Alpha. A report without a fault is no proof; Report.Unseen lists the draws
// that no world reached.
//
// # Not protected
//
// Reading of files (the worlds are in memory), the ledger, what a bundle writes, and time.
package audit
