// SPDX-License-Identifier: Apache-2.0

//go:build unix && !solaris && !illumos && !aix

package folder

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes the lock on an open directory, which ends with the process at the latest. It returns
// false where another holds it, and errors.ErrUnsupported where there are no locks.
func tryLock(dir *os.File) (bool, error) {
	switch err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		return false, nil
	default:
		// Network file systems answer in many ways that a directory cannot be locked.
		return false, errors.ErrUnsupported
	}
}

func syncDir(dir *os.File) error { return dir.Sync() }
