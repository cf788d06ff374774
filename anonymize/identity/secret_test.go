// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/dchest/siphash"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize/identity"
)

func fixedKey() []byte {
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i*7 + 100)
	}
	return key
}

func fixedSecret(t testing.TB) identity.Secret {
	t.Helper()
	s, err := identity.SecretFromBytes(fixedKey())
	require.NoError(t, err)
	return s
}

func TestAttackD02WeakKeysAreRefused(t *testing.T) {
	for name, key := range map[string][]byte{
		"empty": nil, "16 bytes": fixedKey()[:16], "31 bytes": fixedKey()[:31], "zero": make([]byte, 32), "constant": bytes.Repeat([]byte{7}, 64),
		"passphrase": []byte("correct horse battery staple, and some more"), "hex of a key": []byte(hex.EncodeToString(fixedKey())),
		"pattern": bytes.Repeat([]byte("\x01\x02\x03\x80\x90\xa0\xb0\xff"), 8), "with a line end": []byte("0123456789abcdefghijklmnopqrstuvwxyz\n"),
	} {
		_, err := identity.SecretFromBytes(key)
		require.Error(t, err, name)
		if len(key) > 0 {
			assert.NotContains(t, err.Error(), string(key), name)
		}
	}
	_, err := identity.SecretFromBytes(fixedKey()[:31])
	assert.EqualError(t, err, "want a key of at least 32 bytes, got 31; generate one at random")
	_, err = identity.SecretFromBytes(make([]byte, 32))
	assert.EqualError(t, err, "want random bytes, got a text or a pattern; generate a key at random")
	assert.False(t, identity.Secret{}.IsSet())
	assert.Panics(t, func() { identity.Secret{}.Hasher("person") }, "an unset secret never hashes under a known key")
}

// Domains stand for fields, data sets and epochs: their tokens for the same people never meet.
func TestAttackD02DomainsShareNoToken(t *testing.T) {
	s := fixedSecret(t)
	seen := map[[2]uint64]bool{}
	for _, domain := range []string{"person", "person/2026-w12", "person/2026-w13", "email", ""} {
		h := s.Hasher(domain)
		for i := range 2000 {
			hi, lo := h.Sum128(fmt.Appendf(nil, "id-%d", i))
			seen[[2]uint64{hi, lo}] = true
		}
	}
	assert.Len(t, seen, 5*2000)
}

func TestFreshSecretsDiffer(t *testing.T) {
	a, err := identity.NewSecret()
	require.NoError(t, err)
	b, err := identity.NewSecret()
	require.NoError(t, err)
	assert.True(t, a.IsSet())
	assert.NotEqual(t, a.Hasher("d").Sum64([]byte("x")), b.Hasher("d").Sum64([]byte("x")))
}

func TestAttackD03KeysDoNotEscapeByPrinting(t *testing.T) {
	s := fixedSecret(t)
	type holder struct {
		Public  identity.Secret
		private identity.Secret
		Hash    identity.Hasher
		hash    identity.Hasher
	}
	h := holder{s, s, s.Hasher("d"), s.Hasher("d")}
	var out strings.Builder
	for _, v := range []any{s, &s, h, &h, []any{s, h.Hash}, h.private, h.hash} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%X"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		encoded, err := json.Marshal(v)
		require.NoError(t, err)
		out.Write(encoded)
		slog.New(slog.NewTextHandler(&out, nil)).Info("run", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("run", "v", v)
	}
	// A failing assertion prints what it compares by reflection, private fields and pointers included.
	recorder := &recordingT{}
	assert.Equal(recorder, s, 1)
	out.WriteString(recorder.text)

	printed := out.String()
	require.Contains(t, printed, "[secret]")
	for _, spelling := range spellings(fixedKey()) {
		assert.NotContains(t, printed, spelling)
	}
}

type recordingT struct{ text string }

func (r *recordingT) Errorf(format string, args ...any) { r.text += fmt.Sprintf(format, args...) }

// spellings lists how eight bytes of a key would look in print.
func spellings(key []byte) []string {
	part := key[8:16]
	decimal := strings.Trim(fmt.Sprint(part), "[]")
	return []string{
		string(part), hex.EncodeToString(part), strings.ToUpper(hex.EncodeToString(part)), base64.StdEncoding.EncodeToString(key)[12:20],
		decimal, strings.ReplaceAll(decimal, " ", ","), strings.ReplaceAll(decimal, " ", ", "), strings.Trim(fmt.Sprintf("%#v", part), "[]byte{}"),
		fmt.Sprintf("% x", part),
	}
}

func TestSecretsCopyTheirKey(t *testing.T) {
	key := fixedKey()
	s, err := identity.SecretFromBytes(key)
	require.NoError(t, err)
	before := s.Hasher("d").Sum64([]byte("x"))
	clear(key)
	assert.Equal(t, before, s.Hasher("d").Sum64([]byte("x")))
}

// 128 bits: a million ids in one table collide with probability below 2e-27.
func TestAttackD07AMillionIDsAreAMillionPeople(t *testing.T) {
	h := fixedSecret(t).Hasher("person")
	const people = 1_000_000
	seen := make(map[[2]uint64]struct{}, people)
	var id []byte
	for i := range people {
		id = fmt.Appendf(id[:0], "visitor-%d", i)
		hi, lo := h.Sum128(id)
		seen[[2]uint64{hi, lo}] = struct{}{}
	}
	assert.Equal(t, people, len(seen)) // not Len, which would print a million keys
}

func TestBothHalvesAndBothSumsAreIndependent(t *testing.T) {
	h := fixedSecret(t).Hasher("person")
	his, los, sums := map[uint64]bool{}, map[uint64]bool{}, map[uint64]bool{}
	const n = 10_000
	for i := range n {
		b := fmt.Appendf(nil, "%d", i)
		hi, lo := h.Sum128(b)
		his[hi], los[lo] = true, true
		sums[h.Sum64(b)] = true
		assert.NotEqual(t, hi, lo)
	}
	assert.Equal(t, [3]int{n, n, n}, [3]int{len(his), len(los), len(sums)})
}

// The reference vectors of SipHash-2-4 (key 00 01 … 0f, empty input), so that the assembly of this
// machine is known to compute what the mathematics is about.
func TestSipHashMatchesItsReferenceVectors(t *testing.T) {
	const k0, k1 = 0x0706050403020100, 0x0f0e0d0c0b0a0908
	assert.Equal(t, uint64(0x726fdb47dd0e0e31), siphash.Hash(k0, k1, nil))
	lo, hi := siphash.Hash128(k0, k1, nil)
	assert.Equal(t, [2]uint64{0xe6a825ba047f81a3, 0x930255c71472f66d}, [2]uint64{lo, hi})
}

// The expected value was computed apart from this code: HKDF by two HMACs, SipHash from its paper.
func TestHashesAgreeWithAnIndependentComputation(t *testing.T) {
	h := fixedSecret(t).Hasher("person")
	hi, lo := h.Sum128([]byte("visitor-1"))
	assert.Equal(t, "aca07b797f9381ef 24ae923f85062137 8ea59fff64af9ce2", fmt.Sprintf("%016x %016x %016x", hi, lo, h.Sum64([]byte("visitor-1"))))
}

func TestHashingAllocatesNothing(t *testing.T) {
	h, b := fixedSecret(t).Hasher("person"), []byte("visitor-1")
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_, _ = h.Sum128(b)
		_ = h.Sum64(b)
	}))
}

// Texts of one length that lie evenly have the hashes that each has alone.
func TestDistinctEvenly(t *testing.T) {
	h := fixedSecret(t).Hasher("person")
	for _, length := range []int{1, 8, 15, 16, 17, 32, 36, 64, 65, 100} {
		for _, lead := range []int{0, 4} {
			const n = 50
			data := make([]byte, n*(length+lead))
			r := rand.New(rand.NewPCG(uint64(length), uint64(lead)))
			for i := range data {
				data[i] = byte(r.Uint32())
			}
			hi, lo := make([]uint64, n), make([]uint64, n)
			h.DistinctEvenly(hi, lo, data, lead, length+lead)
			for i := range n {
				at := i*(length+lead) + lead
				wantHi, wantLo := h.Distinct128(data[at : at+length])
				assert.Equal(t, [2]uint64{wantHi, wantLo}, [2]uint64{hi[i], lo[i]})
			}
		}
	}
}
