// SPDX-License-Identifier: Apache-2.0

package arrowio

import (
	"encoding/binary"
	"io"
	"math"
)

const (
	// maxMetadata bounds the metadata of one message, which holds no rows: honest ones take a few
	// hundred bytes per column.
	maxMetadata = 16 << 20
	// readStep is what is read before more memory is taken for a claimed length.
	readStep = 1 << 20
	// continuation marks a message, ahead of its length, since format version 0.15.
	continuation = 0xFFFFFFFF
)

// The message headers of format/Message.fbs that can occur here.
const (
	headerSchema     = 1
	headerDictionary = 2
	headerRecords    = 3
)

// message is one IPC message without its body.
type message struct {
	header  byte
	version int16
	table   flat
	body    int64
}

// parseMessage takes the metadata of a message apart.
func parseMessage(meta []byte) (message, error) {
	m := &flatMessage{buf: meta}
	root := m.root()
	out := message{version: root.int16(0), header: root.byte(1), body: root.int64(3)}
	ok := false
	if out.table, ok = root.table(2); !ok || out.body < 0 {
		m.fail()
	}
	return out, m.err()
}

// messageLength interprets the prefix of a message: its own length and that of the metadata. Zero
// metadata ends a stream.
func messageLength(prefix []byte) (own, meta int, err error) {
	own, length := 4, binary.LittleEndian.Uint32(prefix)
	if length == continuation {
		if len(prefix) < 8 {
			return 0, 0, malformed("a message is cut short")
		}
		own, length = 8, binary.LittleEndian.Uint32(prefix[4:])
	}
	switch {
	case length > math.MaxInt32:
		return 0, 0, malformed("a message claims a negative length")
	case length > maxMetadata:
		return 0, 0, malformed("the metadata of a message claims more than 16 MiB")
	}
	return own, int(length), nil
}

// readMessage reads the next message of a stream up to its body; io.EOF at the end of the stream.
func readMessage(r io.Reader) (message, int64, error) {
	prefix := make([]byte, 4, 8)
	if _, err := io.ReadFull(r, prefix); err != nil {
		return message{}, 0, atEnd(err, io.EOF)
	}
	if binary.LittleEndian.Uint32(prefix) == continuation {
		prefix = prefix[:8]
		if _, err := io.ReadFull(r, prefix[4:]); err != nil {
			return message{}, 0, atEnd(err, errCut)
		}
	}
	own, length, err := messageLength(prefix)
	if err != nil {
		return message{}, 0, err
	}
	if length == 0 {
		return message{}, 0, io.EOF
	}
	meta, err := readN(r, nil, int64(length))
	if err != nil {
		return message{}, 0, err
	}
	m, err := parseMessage(meta)
	return m, int64(own + length), err
}

var errCut = malformed("a message is cut short")

// atEnd returns end where err says that nothing more came, errCut where something did, and err itself
// where reading failed.
func atEnd(err, end error) error {
	switch err {
	case io.EOF:
		return end
	case io.ErrUnexpectedEOF:
		return errCut
	}
	return err
}

// readN reads n bytes into buf, or into a larger one that grows with what arrives.
func readN(r io.Reader, buf []byte, n int64) ([]byte, error) {
	buf = buf[:0]
	for int64(len(buf)) < n {
		step := min(n-int64(len(buf)), max(int64(len(buf)), int64(cap(buf)-len(buf)), readStep))
		buf = grow(buf, int(step))
		tail := buf[len(buf)-int(step):]
		if _, err := io.ReadFull(r, tail); err != nil {
			return nil, atEnd(err, errCut)
		}
	}
	return buf, nil
}

// grow makes room for n further bytes. Memory is taken in multiples of eight bytes, so that Go aligns
// it as the values inside want.
func grow(buf []byte, n int) []byte {
	if len(buf)+n <= cap(buf) {
		return buf[:len(buf)+n]
	}
	out := aligned(len(buf) + n)
	copy(out, buf)
	return out
}

func aligned(n int) []byte { return make([]byte, (n+7)&^7)[:n] }
