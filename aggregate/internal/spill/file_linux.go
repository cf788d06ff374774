// SPDX-License-Identifier: Apache-2.0

package spill

import (
	"os"

	"golang.org/x/sys/unix"
)

const removeOnClose = 0

// openUnnamed makes a file that never has a name, and with O_EXCL can be given none. Network file systems
// and some others refuse.
func openUnnamed(dir string) (file, error) {
	return os.OpenFile(dir, os.O_RDWR|unix.O_TMPFILE|os.O_EXCL, 0o600)
}
