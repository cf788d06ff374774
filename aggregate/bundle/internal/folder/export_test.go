// SPDX-License-Identifier: Apache-2.0

package folder

// What tests outside the package need to make operations fail.
type (
	Disk     = disk
	DiskFile = file
)

var WriteOn = write
