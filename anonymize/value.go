// SPDX-License-Identifier: Apache-2.0

package anonymize

// Kind is the physical type of a raw cell as its connector decodes it.
type Kind uint8

// The kinds of a raw cell.
const (
	// Bytes is text (or opaque bytes): Value.Bytes.
	Bytes Kind = iota
	// Int is a signed 64-bit integer: Value.Int. Unsigned values above MaxInt64 are null.
	Int
	// Float is a 64-bit float: Value.Float.
	Float
	// Bool is 0 or 1 in Value.Int.
	Bool
	// Time is an instant in microseconds since 1970-01-01T00:00:00Z: Value.Int.
	Time
)

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case Bytes:
		return "text"
	case Int:
		return "integer"
	case Float:
		return "float"
	case Bool:
		return "boolean"
	case Time:
		return "timestamp"
	}
	return "unknown kind"
}

// Value is one raw cell. The zero Value is null. It holds raw data: its String and GoString say
// only its kind, so that no log line or error text can carry what a cell held.
type Value struct {
	Kind  Kind
	Valid bool
	Bytes []byte
	Int   int64
	Float float64
}

// String returns the kind of the value, never the value.
func (v Value) String() string {
	if !v.Valid {
		return "<null>"
	}
	return "<" + v.Kind.String() + ">"
}

// GoString is String, so that %#v redacts too.
func (v Value) GoString() string { return v.String() }
