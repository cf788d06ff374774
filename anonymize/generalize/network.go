// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/throngdp/throng/anonymize/internal/scalar"
)

// Bits says how much of an IP address is left: the length of the network's prefix. An unset one is 16 for IPv4 and
// 32 for IPv6.
type Bits struct{ V4, V6 int64 }

// The lengths that are used where none is set, and the longest: a network beyond it is a household.
const (
	defaultBits4, maxBits4 = 16, 24
	defaultBits6, maxBits6 = 32, 48
)

func (b Bits) check() error {
	var faults []error
	if b.V4 < 0 || b.V4 > maxBits4 {
		faults = append(faults, fmt.Errorf("want 1 to %d bits of an IPv4 address, got %d; correct it", maxBits4, b.V4))
	}
	if b.V6 < 0 || b.V6 > maxBits6 {
		faults = append(faults, fmt.Errorf("want 1 to %d bits of an IPv6 address, got %d; correct it", maxBits6, b.V6))
	}
	return errors.Join(faults...)
}

// network returns the network of an address, such as 198.51.0.0/16, "" where a text is none. An IPv4 address that
// an IPv6 address carries is one of IPv4.
func (b Bits) network(text []byte) string {
	addr, ok := scalar.ParseAddr(text)
	if !ok || addr.IsUnspecified() {
		return ""
	}
	bits := cmp.Or(b.V6, defaultBits6)
	if addr.Is4() {
		bits = cmp.Or(b.V4, defaultBits4)
	}
	network, err := addr.Prefix(int(bits))
	if err != nil {
		return ""
	}
	return network.String()
}
