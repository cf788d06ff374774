// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package nocore

import "syscall"

// Set sets the largest core file of this process and of those that it starts to nothing. Where the system hands
// cores to another program (a core_pattern that begins with | on Linux), that program decides.
func Set() error { return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }
