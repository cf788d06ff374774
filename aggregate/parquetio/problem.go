// SPDX-License-Identifier: Apache-2.0

package parquetio

import (
	"errors"
	"io"
	"time"

	"github.com/throngdp/throng/aggregate/table"
)

// decodeTime is how long one page, or the metadata, may take to decode. An honest page of the
// largest size takes a fraction of a second.
const decodeTime = 4 * time.Second

// problem is a fault before it is known in which file and column it lies. Its text never holds
// anything that was read.
type problem struct {
	text string
	kind error
}

func (p *problem) Error() string { return p.text }

func malformed(text string) error { return &problem{text, table.ErrMalformed} }

func tooLarge(text string) error { return &problem{text, table.ErrLimit} }

func unsupported(text string) error { return &problem{text, table.ErrSchema} }

// errTruncated is the fault of data that ends before what it announced.
var errTruncated = malformed("Parquet data ends too early; the file is damaged or incomplete")

// errUndecodable is the fault of data that a decoder refuses, or on which it panics.
var errUndecodable = malformed("Parquet data cannot be decoded; the file is damaged")

// errTimeout is the fault of data whose decoding does not end.
var errTimeout = tooLarge("decoding Parquet data takes too long; the file is damaged")

// located turns err into an error that names the file and, where known, the column.
func located(file, column string, err error) error {
	if p := (*problem)(nil); errors.As(err, &p) {
		return &table.Error{File: file, Column: column, Problem: p.text, Err: p.kind}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return located(file, column, errTruncated)
	}
	return &table.Error{File: file, Column: column, Problem: "reading the file failed", Err: err}
}

// recovered, deferred, turns a panic into errUndecodable. It stands at the two ways in, New and Next; a
// goroutine needs its own.
func recovered(err *error) {
	if recover() != nil {
		*err = errUndecodable
	}
}

// guard runs a decoder that may panic or hang on damaged input. It costs a goroutine, about a
// microsecond, for each page of thousands of rows. After a timeout decode may still be running, so
// the caller must not touch again what decode writes.
func guard(limit time.Duration, decode func() error) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if recover() != nil {
				done <- errUndecodable
			}
		}()
		done <- decode()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return errTimeout
	}
}
