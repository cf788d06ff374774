// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"syscall"
	"unsafe"
)

// preferHugePages asks for memory in large pages, of which fewer have to be fetched. It may be refused,
// which changes nothing but the time.
func preferHugePages(words []uint64) {
	if len(words) > 0 {
		_ = syscall.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 8*len(words)), syscall.MADV_HUGEPAGE)
	}
}
