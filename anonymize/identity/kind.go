// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"errors"
	"math"
	"strconv"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/internal/scalar"
)

// Kind says what the ids of a column are, and so which spellings are the same person. The zero value
// is unset.
type Kind string

// The kinds of an id; the package documentation says what each takes for the same.
const (
	Opaque Kind = "opaque"
	Email  Kind = "email"
	Phone  Kind = "phone"
	UUID   Kind = "uuid"
	IP     Kind = "ip"
	Int    Kind = "int"
)

// maxID bounds the bytes of an id. No identifier that a system hands out is longer, and hashing a
// novel per row would be a way to slow a run down.
const maxID = 4096

// ParseKind returns the kind with the given name.
func ParseKind(name string) (Kind, error) {
	switch k := Kind(name); k {
	case Opaque, Email, Phone, UUID, IP, Int:
		return k, nil
	}
	return "", errors.New("want one of opaque, email, phone, uuid, ip, int; choose one")
}

// Accepts reports whether cells of a physical type can hold ids of this kind at all.
func (k Kind) Accepts(t anonymize.Kind) bool {
	switch t {
	case anonymize.Bytes:
		return true
	case anonymize.Int, anonymize.Float:
		return k == Opaque || k == Int
	}
	return false
}

// Append appends the canonical bytes of an id to dst. It returns dst as it was and false where the
// cell names nobody: null, a default id, or not an id of this kind.
func (k Kind) Append(dst []byte, v anonymize.Value) ([]byte, bool) {
	if !v.Valid || !k.Accepts(v.Kind) {
		return dst, false
	}
	switch v.Kind {
	case anonymize.Int:
		return appendInt(dst, v.Int)
	case anonymize.Float:
		if v.Float != math.Trunc(v.Float) || math.Abs(v.Float) >= 1<<53 {
			return dst, false // also NaN; from 2^53 on neighbouring ids are one float
		}
		return appendInt(dst, int64(v.Float))
	}
	if len(v.Bytes) > maxID || isDefault(v.Bytes) {
		return dst, false
	}
	switch k {
	case Opaque:
		return append(dst, v.Bytes...), true
	case Email:
		return appendEmail(dst, v.Bytes)
	case Phone:
		return scalar.AppendPhone(dst, v.Bytes)
	case UUID:
		return appendUUID(dst, v.Bytes)
	case IP:
		return appendIP(dst, v.Bytes)
	case Int:
		return appendIntText(dst, v.Bytes)
	}
	return dst, false
}

// Canonical returns the canonical bytes of an id that is a text: the text itself where they are its
// bytes, and otherwise appended to buf. It returns false where the text names nobody.
func (k Kind) Canonical(buf, text []byte) ([]byte, bool) {
	if k == Opaque {
		return text, len(text) <= maxID && !isDefault(text)
	}
	return k.Append(buf, anonymize.Value{Kind: anonymize.Bytes, Valid: true, Bytes: text})
}

func appendInt(dst []byte, i int64) ([]byte, bool) {
	if i == 0 {
		return dst, false
	}
	return strconv.AppendInt(dst, i, 10), true
}

// defaultIDs are the words that systems write where there is no id, in lower case.
var defaultIDs = map[string]struct{}{
	"null": {}, "<null>": {}, "(null)": {}, "nil": {}, "<nil>": {}, "none": {}, "(none)": {},
	"undefined": {}, "unknown": {}, "anonymous": {}, "n/a": {}, "nan": {}, "(not set)": {}, `\n`: {},
}

// isDefault reports whether an id stands for nobody.
func isDefault(id []byte) bool {
	if IsPlain(id) {
		return false
	}
	id = scalar.TrimSpace(id)
	if isZero(id) {
		return true
	}
	var buf [len("(not set)")]byte
	if len(id) > len(buf) {
		return false
	}
	word := buf[:0]
	for _, c := range id {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		word = append(word, c)
	}
	_, listed := defaultIDs[string(word)]
	return listed
}

// IsPlain reports whether one look at a text shows that it is an [Opaque] id, and its own canonical
// form: it is longer than all texts that stand for nobody, has no space around it, and one of the bytes
// looked at shows that it is not made of zeros. Nearly every id is.
func IsPlain(text []byte) bool {
	n := len(text)
	if n <= len("(not set)") || n > maxID {
		return false
	}
	first, last := text[0], text[n-1]
	if first <= ' ' || first > '~' || last <= ' ' || last > '~' {
		return false
	}
	return isSign(first) || isSign(last) || isSign(text[1]) || isSign(text[2])
}

// isSign reports whether c is a letter or a digit other than zero.
func isSign(c byte) bool {
	l := c | 0x20
	return l >= 'a' && l <= 'z' || c >= '1' && c <= '9'
}

// isZero reports whether nothing but zeros and the signs between them is left of an id.
func isZero(id []byte) bool {
	for _, c := range id {
		switch c {
		case '0', 0, '-', '.', ':', '{', '}':
		default:
			return false
		}
	}
	return true
}
