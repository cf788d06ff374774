// SPDX-License-Identifier: Apache-2.0

// Package strictyaml reads the two small YAML files that a person writes, a policy and a release, and
// refuses everything in YAML by which a file can mean something else than its reader thinks.
//
// Start with [Parse], which turns the bytes into a tree of [Node], and [Binder], which turns the tree
// into Go values. Both collect every [Fault] that they find instead of stopping at the first.
//
// # Guarantee
//
// A file is at most [MaxBytes] long, at most [MaxLevels] deep and has at most [MaxTokens] tokens;
// levels are counted before anything recursive runs. Anchors, aliases, merge keys, tags, directives, a
// second document, doubled keys, keys that are not text, and characters that cannot be seen are
// refused. Scalars are handed over as text: what ".nan", "0x1" or "1_0" mean is not guessed at, and
// the binder takes only plain decimal numbers. No input makes the package panic, and every token that
// is not a comment ends up in the tree or in a fault.
//
// # Not protected
//
// A fault quotes what a person wrote in the file, shortened. Such files hold names and settings, never
// records; nothing else may be read with this package.
package strictyaml
