// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package folder

import (
	"errors"
	"os"
)

// exchange is not to be had here.
func exchange(*os.File, string, string) error { return errors.ErrUnsupported }
