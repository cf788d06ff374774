// SPDX-License-Identifier: Apache-2.0

// Package nocore keeps a program's memory, which holds records, out of core files. It is for programs: a library
// does not change the limits of the process that it is part of.
package nocore
