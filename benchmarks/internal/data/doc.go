// SPDX-License-Identifier: Apache-2.0

// Package data makes the usage records that the benchmarks read. Start at New. The same Config writes
// the same rows and, with the same version of the compression library, the same bytes. Nothing but the
// people's activity is kept in memory.
//
// # The data
//
//   - A person's activity is log-normal. With ten rows a person, about 3 % of the people have none.
//   - gender, consent, born and the id belong to the person. Most people have one country, some a
//     second one, in which a part of their rows lie.
//   - Pages and countries are Zipf-like.
//   - More happens in the evening than at night; the days are alike.
//
// # The file
//
// Parquet is written as pyarrow and Spark do: nullable columns without nulls, data pages of version 1
// and of about 1 MiB, row groups of 1,048,576 rows. All columns but ts and, unless Config.DictIDs is
// set, user_id are dictionary encoded.
package data
