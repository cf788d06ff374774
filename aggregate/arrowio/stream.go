// SPDX-License-Identifier: Apache-2.0

package arrowio

import (
	"bufio"
	"context"
	"io"

	"github.com/throngdp/throng/aggregate/table"
)

// maxBody bounds the body of one message of a stream, which is held in memory. A file is read buffer
// by buffer and has no such bound.
const maxBody = 2 << 30

// NewStream returns a source over an IPC stream. open is called once for the schema and once per scan,
// and must start from the beginning each time; the source closes what it opens.
func NewStream(name string, open func(ctx context.Context) (io.ReadCloser, error)) *Source {
	return &Source{name: name, input: &streamInput{name: name, begin: open}}
}

type streamInput struct {
	name  string
	begin func(ctx context.Context) (io.ReadCloser, error)
}

func (in *streamInput) fields(ctx context.Context) ([]field, error) {
	_, c, fields, err := in.start(ctx)
	if err != nil {
		return nil, err
	}
	return fields, named(in.name, c.Close())
}

// start opens the stream and reads its schema. Where it fails the stream is closed.
func (in *streamInput) start(ctx context.Context) (io.Reader, io.Closer, []field, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, nil, err
	}
	c, err := in.begin(ctx)
	if err != nil {
		return nil, nil, nil, named(in.name, err)
	}
	r := bufio.NewReaderSize(c, 64<<10)
	var fields []field
	err = guard(func() error {
		m, _, err := readMessage(r)
		switch {
		case err == io.EOF:
			return malformed("it is not an Arrow stream: it is empty")
		case err != nil:
			return err
		case m.header != headerSchema || m.body != 0:
			return malformed("it is not an Arrow stream: it does not begin with a schema")
		}
		fields, err = schemaOf(m.table, m.version)
		return err
	})
	if err != nil {
		_ = c.Close()
		return nil, nil, nil, named(in.name, err)
	}
	return r, c, fields, nil
}

func (in *streamInput) open(ctx context.Context, columns []string) ([]table.Reader, error) {
	r, c, fields, err := in.start(ctx)
	if err != nil {
		return nil, err
	}
	chosen, err := choose(in.name, fields, columns)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	d, err := newDecoder(fields, chosen.leaves)
	if err != nil {
		_ = c.Close()
		return nil, named(in.name, err)
	}
	return []table.Reader{newReader(in.name, chosen.asked, &streamFeed{r: r, c: c, decoder: d})}, nil
}

// streamFeed reads messages one after the other.
type streamFeed struct {
	r       io.Reader
	c       io.Closer
	decoder *decoder
	held    []byte
}

func (f *streamFeed) next(ctx context.Context) (rows int, bytes int64, parts []part, err error) {
	err = guard(func() error {
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			m, n, err := readMessage(f.r)
			if err != nil {
				return err
			}
			bytes += n + m.body
			done, err := f.take(m, &rows, &parts)
			if done || err != nil {
				return err
			}
		}
	})
	return rows, bytes, parts, err
}

// take handles one message, and says whether it was a record batch.
func (f *streamFeed) take(m message, rows *int, parts *[]part) (bool, error) {
	needed := m.header == headerRecords && len(f.decoder.leaves) > 0 ||
		m.header == headerDictionary && f.decoder.needs(m)
	if err := f.read(m.body, needed); err != nil {
		return false, err
	}
	switch m.header {
	case headerRecords:
		var err error
		*rows, *parts, err = f.decoder.records(m)
		return true, err
	case headerDictionary:
		return false, f.decoder.dictionary(m)
	}
	return false, malformed("there is a message that does not belong in a table")
}

// read reads the body of a message into memory, or past it.
func (f *streamFeed) read(n int64, needed bool) error {
	if !needed {
		_, err := io.CopyN(io.Discard, f.r, n)
		return atEnd(err, errCut)
	}
	if n > maxBody {
		return overLimit("a record batch holds more than 2 GiB; write shorter ones")
	}
	var err error
	f.held, err = readN(f.r, f.held, n)
	f.decoder.body.held = f.held
	return err
}

func (f *streamFeed) close() error {
	f.decoder.body.close()
	return f.c.Close()
}
