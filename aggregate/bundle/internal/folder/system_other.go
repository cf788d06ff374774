// SPDX-License-Identifier: Apache-2.0

//go:build !unix || solaris || illumos || aix

package folder

import (
	"errors"
	"os"
)

// tryLock finds no locks on directories here.
func tryLock(*os.File) (bool, error) { return false, errors.ErrUnsupported }

// syncDir does nothing: directories cannot be flushed on all of these systems.
func syncDir(*os.File) error { return nil }
