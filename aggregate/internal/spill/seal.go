// SPDX-License-Identifier: Apache-2.0

package spill

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
)

const (
	keyBytes = 32
	tagBytes = 16
)

// sealer is AES-256-GCM under a key of its own. Its parts are functions so that a printer that follows
// unexported fields and pointers meets no key.
type sealer struct {
	seal func(dst, nonce, plain, about []byte) []byte
	open func(dst, nonce, sealed, about []byte) ([]byte, error)
	wipe func() // overwrites the key; nothing may be sealed or opened afterwards
}

func newSealer() (sealer, error) {
	var key [keyBytes]byte
	defer clear(key[:])
	// Through the interface the key lies on the heap, where it does not move: a stack that grows leaves its
	// old copy behind.
	if _, err := io.ReadFull(rand.Reader, key[:]); err != nil {
		return sealer{}, errors.New("reading the random source: it gave no bytes; check the operating system")
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return sealer{}, fmt.Errorf("making the key of the spill file: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return sealer{}, fmt.Errorf("making the key of the spill file: %w", err)
	}
	// Both hold the expanded key, whose first half is the key itself.
	return sealer{seal: aead.Seal, open: aead.Open, wipe: func() { zero(block); zero(aead) }}, nil
}

// zero overwrites what v points at. The types of package crypto offer no other way.
func zero(v any) {
	if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && !p.IsNil() {
		p.Elem().SetZero()
	}
}

// label is the nonce and the additional data of one frame. It lies on the heap, in whatever uses it,
// since slices of it go through a function value.
type label struct {
	nonce [12]byte
	about [24]byte
}

// set names the frame that stands at off, of a segment of n bytes. The nonce is off: a place in the file
// is given out once, so no nonce is used twice. The sequence number says that the segment is the one that
// was appended to this bucket then.
func (l *label) set(off int64, bucket, seq, n int) {
	binary.BigEndian.PutUint64(l.nonce[4:], uint64(off))
	binary.BigEndian.PutUint64(l.about[:], uint64(bucket))
	binary.BigEndian.PutUint64(l.about[8:], uint64(seq))
	binary.BigEndian.PutUint64(l.about[16:], uint64(n))
}
