// SPDX-License-Identifier: Apache-2.0

package folder

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// exchange swaps two names below dir in one step.
func exchange(dir *os.File, a, b string) error {
	fd := int(dir.Fd())
	err := unix.Renameat2(fd, a, fd, b, unix.RENAME_EXCHANGE)
	// Old kernels and some file systems do not know the call or the flag.
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return errors.ErrUnsupported
	}
	if err != nil {
		return &os.LinkError{Op: "exchange", Old: a, New: b, Err: err}
	}
	return nil
}
