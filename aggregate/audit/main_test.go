// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain lets the heap grow to five times what lives in it: thousands of small releases leave little behind, and
// collecting it took an eighth of the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
