// SPDX-License-Identifier: Apache-2.0

package scalar

import "net/netip"

// maxAddr is the longest spelling of an address that is looked at: a zone may follow it.
const maxAddr = 128

// ParseAddr reads an IP address, in brackets or with a port too, and returns it without its zone and as IPv4 where
// it is one that IPv6 carries.
func ParseAddr(text []byte) (netip.Addr, bool) {
	text = TrimSpace(text)
	if len(text) > maxAddr {
		return netip.Addr{}, false
	}
	s := string(text)
	if n := len(s); n > 2 && s[0] == '[' && s[n-1] == ']' {
		s = s[1 : n-1]
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	return addr.WithZone("").Unmap(), true
}
