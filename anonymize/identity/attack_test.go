// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"os"
	"strings"
	"testing"

	"github.com/dchest/siphash"
	"github.com/stretchr/testify/assert"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/identity"
)

// unkeyed are the hashes that a table of known ids would be made with, as 16 bytes or more of each.
var unkeyed = map[string]func([]byte) []byte{
	"md5":    func(b []byte) []byte { h := md5.Sum(b); return h[:] },
	"sha1":   func(b []byte) []byte { h := sha1.Sum(b); return h[:] },
	"sha256": func(b []byte) []byte { h := sha256.Sum256(b); return h[:] },
	"sha512": func(b []byte) []byte { h := sha512.Sum512(b); return h[:] },
	"sha512/256": func(b []byte) []byte {
		h := sha512.Sum512_256(b)
		return h[:]
	},
	"fnv": func(b []byte) []byte {
		h := fnv.New128a()
		h.Write(b)
		return h.Sum(nil)
	},
	"siphash without a key": func(b []byte) []byte {
		lo, hi := siphash.Hash128(0, 0, b)
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, lo), hi)
	},
}

// TestAttackD01NoTableOfKnownIDsFindsAToken hashes ids that everybody can list, an attacker's table of whom has each of them in
// several spellings under each usual hash, and looks for any 16 bytes of a token in it. The secret of a run is all that
// stands between the two: a token under a secret that is known is found at once. By chance two of 16 bytes agree with a
// probability below 2^-128 times the pairs.
func TestAttackD01NoTableOfKnownIDsFindsAToken(t *testing.T) {
	n := 1 << 12
	if os.Getenv("THRONG_NIGHTLY") != "" {
		n = 1 << 17
	}
	secret, err := identity.NewSecret()
	assert.NoError(t, err)
	known := map[string]struct {
		kind identity.Kind
		id   func(i int) string
	}{
		"email":   {identity.Email, func(i int) string { return fmt.Sprintf("Person.%d@Example.org ", i) }},
		"phone":   {identity.Phone, func(i int) string { return fmt.Sprintf("+49 151 %07d", i) }},
		"address": {identity.IP, func(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255) }},
	}
	for name, ids := range known {
		// Both hashes of a secret, in both orders of bytes.
		h := secret.Hasher("person/site/0")
		tokens := map[[16]byte]bool{}
		add := func(hi, lo uint64) {
			for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
				tokens[[16]byte(order.AppendUint64(order.AppendUint64(nil, hi), lo))] = true
				tokens[[16]byte(order.AppendUint64(order.AppendUint64(nil, lo), hi))] = true
			}
		}
		found, planted := 0, 0
		for i := range n {
			text, ok := ids.kind.Append(nil, anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(ids.id(i))})
			if !assert.True(t, ok, name) {
				return
			}
			add(h.Sum128(text))
			add(h.Distinct128(text))
		}
		lo, hi := siphash.Hash128(0, 0, []byte(strings.TrimSpace(ids.id(n/2))))
		weak := [16]byte(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, lo), hi))
		for i := range n {
			raw := ids.id(i)
			canonical, _ := ids.kind.Append(nil, anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: []byte(raw)})
			for _, spelling := range []string{raw, strings.TrimSpace(raw), strings.ToLower(strings.TrimSpace(raw)), string(canonical)} {
				for _, hash := range unkeyed {
					sum := hash([]byte(spelling))
					for at := 0; at+16 <= len(sum); at++ {
						if tokens[[16]byte(sum[at:])] {
							found++
						}
						if [16]byte(sum[at:]) == weak {
							planted++
						}
					}
				}
			}
		}
		assert.Zero(t, found, "%s: tokens that a table of known ids has", name)
		assert.Positive(t, planted, "%s: a token without a key is in the table", name)
	}
}
