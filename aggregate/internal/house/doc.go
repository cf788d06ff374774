// SPDX-License-Identifier: Apache-2.0

// Package house holds the tests of the house itself: which room may import which, and what no room
// may do. It has no code.
package house
