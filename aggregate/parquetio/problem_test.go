// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/table"
)

func TestGuardTurnsAHangIntoAnError(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	err := guard(10*time.Millisecond, func() error { <-release; return nil })
	require.ErrorIs(t, located("f", "c", err), table.ErrLimit)
}

func TestGuardTurnsAPanicIntoAnError(t *testing.T) {
	err := located("f", "c", guard(time.Minute, func() error { panic("a cell's value") }))
	require.ErrorIs(t, err, table.ErrMalformed)
	assert.EqualError(t, err, `f: column "c": Parquet data cannot be decoded; the file is damaged`)
}

func TestGuardHandsOnTheResult(t *testing.T) {
	require.NoError(t, guard(time.Minute, func() error { return nil }))
	assert.Equal(t, errTruncated, guard(time.Minute, func() error { return errTruncated }))
}

// A decoder that was given up may still write: what it writes to must not be used again.
func TestReaderForgetsTheMemoryOfALostDecoder(t *testing.T) {
	before := new(scratch)
	r := &reader{left: 5, columns: make([]column, 1), scratch: before}
	columns := r.columns
	columns[0].lost, columns[0].scratch = true, before
	r.stop(errTimeout)
	require.NoError(t, r.Close())
	assert.NotSame(t, before, r.scratch)
	assert.NotSame(t, &columns[0], &r.columns[0])
	assert.True(t, columns[0].lost, "the column was written to")
}

func TestReadErrorsOfTheSystemKeepTheirCause(t *testing.T) {
	cause := &fs.PathError{Op: "read", Path: "secret", Err: errors.New("disk on fire")}
	err := located("f", "", cause)
	require.ErrorIs(t, err, cause)
	assert.EqualError(t, err, "f: reading the file failed")
}
