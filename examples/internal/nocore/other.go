// SPDX-License-Identifier: Apache-2.0

//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package nocore

// Set does nothing on a system without core files, or without a limit for them.
func Set() error { return nil }
