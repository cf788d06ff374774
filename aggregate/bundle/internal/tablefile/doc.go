// SPDX-License-Identifier: Apache-2.0

// Package tablefile writes one published table as a CSV or Parquet file for a partner.
//
// Start with [Table], then [WriteCSV] and [WriteParquet]. [CSVText] and [ParseText] say how text
// stands in a file and how to get it back.
//
// # Guarantee
//
// A file is a function of the published rows alone: the same names, texts and numerals give the
// same bytes on every machine at any time. Parquet files have no dictionary pages, no bounds, no page
// index, no bloom filters and no key-value metadata, so that no value stands in them but in its row;
// the one statistic is the number of nulls in a column and in each of its pages, which the rows show. A
// numeral is written as it is given, so that its places and every digit of a large integer stay. No text
// cell of a CSV file starts a formula in a spreadsheet, also not where the spreadsheet splits the line at
// semicolons, bars or tabs.
//
// # Not protected
//
// Rows that should not be published: this package writes all that it is given. It keeps one page in
// memory, and asks for each cell once per file.
package tablefile
