// SPDX-License-Identifier: Apache-2.0

package table_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/throngdp/throng/aggregate/table"
)

func TestErrorNamesTheFileAndTheColumn(t *testing.T) {
	e := &table.Error{File: "in.csv", Column: "age", Problem: "is not there", Err: table.ErrSchema}
	assert.EqualError(t, e, `in.csv: column "age": is not there`)
	assert.ErrorIs(t, e, table.ErrSchema)
	e.Column = ""
	assert.EqualError(t, e, "in.csv: is not there")
}

func TestAttackI10CauseKeepsOnlyFixedTexts(t *testing.T) {
	_, missing := os.Open("canary")
	for _, c := range []struct {
		err, want error
	}{
		{nil, nil},
		{errors.New("canary"), nil},
		{fmt.Errorf("canary: %w", errors.New("canary")), nil},
		{fmt.Errorf("canary: %w", context.Canceled), context.Canceled},
		{fmt.Errorf("canary: %w", context.DeadlineExceeded), context.DeadlineExceeded},
		{&table.Error{File: "canary", Err: table.ErrSchema}, table.ErrSchema},
		{fmt.Errorf("canary: %w", table.ErrMalformed), table.ErrMalformed},
		{errors.Join(errors.New("canary"), table.ErrLimit), table.ErrLimit},
		{missing, syscall.ENOENT},
		{&fs.PathError{Op: "read", Path: "canary", Err: syscall.EIO}, syscall.EIO},
		{&fs.PathError{Op: "read", Path: "canary", Err: fs.ErrPermission}, fs.ErrPermission},
		{&fs.PathError{Op: "read", Path: "canary", Err: fs.ErrNotExist}, fs.ErrNotExist},
		{&fs.PathError{Op: "read", Path: "canary", Err: fs.ErrClosed}, fs.ErrClosed},
		{&fs.PathError{Op: "read", Path: "canary", Err: fs.ErrInvalid}, fs.ErrInvalid},
		{&fs.PathError{Op: "read", Path: "canary", Err: fs.ErrExist}, fs.ErrExist},
		{os.NewSyscallError("canary", syscall.EINTR), syscall.EINTR},
	} {
		got := table.Cause(c.err)
		assert.Equal(t, c.want, got, "%v", c.err)
		if got != nil {
			assert.NotContains(t, got.Error(), "canary")
			assert.ErrorIs(t, c.err, got)
		}
	}
	assert.ErrorIs(t, table.Cause(missing), fs.ErrNotExist)
}
