// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/dchest/siphash"
)

// MinSecretBytes is the least that a secret may have.
const MinSecretBytes = 32

// redacted is what every way to print a key yields.
const redacted = "[secret]"

// concealed gives a type that holds a key the methods by which it would be printed.
type concealed struct{}

// String returns a fixed text.
func (concealed) String() string { return redacted }

// GoString returns a fixed text.
func (concealed) GoString() string { return redacted }

// Format writes a fixed text, whatever the verb.
func (concealed) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns a fixed text.
func (concealed) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns a fixed text.
func (concealed) LogValue() slog.Value { return slog.StringValue(redacted) }

// Secret is the key of a run or of a deployment, from which all hash keys come. It prints as a fixed
// text and cannot be read back. The zero value is unset. It is safe for concurrent use.
type Secret struct {
	concealed
	// reveal hides the key from reflection too: a printer that follows unexported fields and
	// pointers meets a function.
	reveal func() []byte
}

// NewSecret returns a fresh secret from the operating system's random source.
func NewSecret() (Secret, error) {
	key := make([]byte, MinSecretBytes)
	if _, err := rand.Read(key); err != nil {
		return Secret{}, errors.New("reading the random source: it gave no bytes; check the operating system")
	}
	return secretOf(key), nil
}

// SecretFromBytes returns the secret that consists of a copy of key, which must be [MinSecretBytes]
// bytes or more of a cryptographic random source. What visibly is not is refused: a text that
// someone typed, a constant, a short pattern.
func SecretFromBytes(key []byte) (Secret, error) {
	if len(key) < MinSecretBytes {
		return Secret{}, fmt.Errorf("want a key of at least %d bytes, got %d; generate one at random", MinSecretBytes, len(key))
	}
	if looksTyped(key) {
		return Secret{}, errors.New("want random bytes, got a text or a pattern; generate a key at random")
	}
	return secretOf(append([]byte(nil), key...)), nil
}

func secretOf(key []byte) Secret {
	return Secret{reveal: func() []byte { return key }}
}

// looksTyped reports whether a key is printable text or has fewer than 16 different bytes. Of 32
// random bytes the first has a probability of (100/256)^32 < 1e-13, the second of at most
// C(256, 15)·(15/256)^32 < 3e-16.
func looksTyped(key []byte) bool {
	var seen [256]bool
	distinct, printable := 0, 0
	for _, c := range key {
		if !seen[c] {
			seen[c] = true
			distinct++
		}
		if c >= ' ' && c <= '~' || c >= '\t' && c <= '\r' {
			printable++
		}
	}
	return distinct < 16 || printable == len(key)
}

// IsSet reports whether s holds a key.
func (s Secret) IsSet() bool { return s.reveal != nil }

// Hasher is a keyed hash function for one domain. The zero value is unset and must not be used. It
// prints as a fixed text, and is safe for concurrent use.
type Hasher struct {
	concealed
	keys *hashKeys // a pointer prints as an address where the methods cannot be reached
}

// hashKeys are decoded from one run of random bytes, which needs the fields to be exported.
type hashKeys struct {
	Sip       [4]uint64
	Universal universal
}

// Hasher returns the hash function of a domain: a name for what is hashed and where, such as
// "person" or "person/2026-w12". Functions of different domains are independent. The keys come from
// HKDF-SHA256 (RFC 5869). It panics where s is unset, since any key in its place would be known.
func (s Secret) Hasher(domain string) Hasher {
	if !s.IsSet() {
		panic("identity: Hasher of an unset Secret; use NewSecret")
	}
	h := Hasher{keys: new(hashKeys)}
	raw, err := hkdf.Key(sha256.New, s.reveal(), []byte("throng identity v1"), domain, binary.Size(*h.keys))
	if err == nil {
		_, err = binary.Decode(raw, binary.LittleEndian, h.keys)
	}
	if err != nil {
		panic("identity: HKDF refused 3 KB of output") // it allows 255·32 bytes
	}
	return h
}

// Sum128 returns SipHash-2-4-128 of b. Nobody who lacks the secret can compute it, however many other
// hashes they have seen.
func (h Hasher) Sum128(b []byte) (hi, lo uint64) {
	return siphash.Hash128(h.keys.Sip[0], h.keys.Sip[1], b)
}

// Sum64 returns SipHash-2-4 of b under keys of its own: for order and for choosing a place, never
// for telling people apart.
func (h Hasher) Sum64(b []byte) uint64 {
	return siphash.Hash(h.keys.Sip[2], h.keys.Sip[3], b)
}

// Distinct128 returns a hash of b that tells people apart inside one run, in a third of the time of
// [Hasher.Sum128]. Among n people two share it with probability at most n²·2^-129, whoever made up
// the ids, as long as they have not seen hashes: from several of them the key can be found. So it must
// not leave the run's memory.
//
// Up to 64 bytes it is MULTILINEAR of Lemire and Kaser ("Strongly universal string hashing is fast",
// Computer Journal 57(11), 2014, theorem 3.1) with words of 64 and keys of 128 bits, twice with keys of
// their own; longer ids, which nobody counts a billion of, have Sum128.
func (h Hasher) Distinct128(b []byte) (hi, lo uint64) {
	if len(b) > maxUniversal {
		return h.Sum128(b)
	}
	return h.keys.Universal.sum(b)
}

// DistinctEvenly writes to hi and lo the Distinct128 of as many texts as they are long, each of which is the
// last part, from lead on, of stride bytes of data: texts of one length lie so in many files. Sixteen
// bytes, the length of most ids that somebody made up, take half the time that they take one by one.
func (h Hasher) DistinctEvenly(hi, lo []uint64, data []byte, lead, stride int) {
	if stride-lead == 16 {
		h.keys.Universal.sum16(hi, lo, data, lead, stride)
		return
	}
	for i := range hi {
		hi[i], lo[i] = h.Distinct128(data[i*stride+lead : (i+1)*stride])
	}
}
