// SPDX-License-Identifier: Apache-2.0

package ndjsonio

import (
	"context"
	"errors"

	"github.com/throngdp/throng/aggregate/table"
)

// fault turns an error from below into one that cannot hold what was read: of the causes only those
// that are fixed texts are kept.
func fault(file, problem string, err error) error {
	cause := table.Cause(err)
	if cause == context.Canceled || cause == context.DeadlineExceeded {
		return cause
	}
	if own := (*table.Error)(nil); errors.As(err, &own) {
		e := *own
		if e.File == "" {
			e.File = file
		}
		return &e
	}
	return &table.Error{File: file, Problem: problem, Err: cause}
}
