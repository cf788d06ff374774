// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

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

// networks finds the smallest of many networks that holds an address.
type networks struct {
	labels map[netip.Prefix]string
	// v4 and v6 are the lengths of the networks, longest first.
	v4, v6 []int
}

// newNetworks returns the networks of texts as parseNetwork returns them.
func newNetworks(labels map[string]string) networks {
	n := networks{labels: make(map[netip.Prefix]string, len(labels))}
	v4, v6 := map[int]bool{}, map[int]bool{}
	for text, label := range labels {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			continue // parseNetwork returns none of these
		}
		n.labels[network] = label
		if network.Addr().Is4() {
			v4[network.Bits()] = true
		} else {
			v6[network.Bits()] = true
		}
	}
	n.v4, n.v6 = slices.Sorted(maps.Keys(v4)), slices.Sorted(maps.Keys(v6))
	slices.Reverse(n.v4)
	slices.Reverse(n.v6)
	return n
}

// Networks is a set of networks of IP addresses. The zero value is empty. It is safe for concurrent use.
type Networks struct{ set networks }

// NewNetworks returns the set of networks such as 10.0.0.0/8, and of single addresses. An error names what is none.
func NewNetworks(texts ...string) (*Networks, error) {
	labels := make(map[string]string, len(texts))
	var faults []error
	for _, text := range texts {
		network, ok := parseNetwork(text)
		if !ok {
			faults = append(faults, fmt.Errorf("want a network such as 10.0.0.0/8, or an address, got %q; correct it", text))
			continue
		}
		labels[network.String()] = ""
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return &Networks{newNetworks(labels)}, nil
}

// Holds reports whether one of the networks holds an address. Of a text that is no address it is not known. An IPv4
// address that an IPv6 address carries is one of IPv4.
func (n *Networks) Holds(text []byte) (holds, known bool) {
	if _, known = scalar.ParseAddr(text); known {
		_, holds = n.set.find(text)
	}
	return holds, known
}

// parseNetwork reads a network or an address, which is a network of one. Bits beyond its length are cut.
func parseNetwork(text string) (netip.Prefix, bool) {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, false
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	if addr, bits := network.Addr(), network.Bits(); addr.Is4In6() && bits >= 96 {
		network = netip.PrefixFrom(addr.Unmap(), bits-96)
	}
	return network.Masked(), true
}

func (n *networks) find(text []byte) (string, bool) {
	addr, ok := scalar.ParseAddr(text)
	if !ok {
		return "", false
	}
	lengths := n.v6
	if addr.Is4() {
		lengths = n.v4
	}
	for _, bits := range lengths {
		if network, err := addr.Prefix(bits); err == nil {
			if label, ok := n.labels[network]; ok {
				return label, true
			}
		}
	}
	return "", false
}
