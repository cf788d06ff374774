// SPDX-License-Identifier: Apache-2.0

// Package tabletest checks that a connector keeps the contract of package table. A connector's own
// test calls [TestSource] in one line and writes the rows that it is handed in the connector's
// format:
//
//	func TestSource(t *testing.T) {
//		tabletest.TestSource(t, func(t *testing.T, rows tabletest.Rows) table.Source {
//			return mysource.New("rows.my", encode(t, rows))
//		})
//	}
//
// [Text] is the canonical text of a value, so that rows of different formats can be compared.
//
// # Not checked
//
// What a connector does with a file that breaks its own format, and nested data: both are the
// format's affair.
package tabletest
