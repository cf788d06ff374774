// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package engine

// preferHugePages does nothing where large pages are not a process's to choose.
func preferHugePages([]uint64) {}
