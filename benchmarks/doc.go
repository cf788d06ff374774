// SPDX-License-Identifier: Apache-2.0

// Package benchmarks measures whole releases over generated records, from opening a file to partials,
// noise and rows. Pieces of the way are measured where they live: decoding in aggregate/parquetio,
// csvio and ndjsonio, scattering, bounding and merging in aggregate/internal/engine, publishing in
// aggregate. Rivals are measured in benchmarks/peers.
package benchmarks
