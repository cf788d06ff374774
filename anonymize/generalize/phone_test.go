// SPDX-License-Identifier: Apache-2.0

package generalize_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/generalize"
)

func TestPhoneNumbersLeaveCountryAndArea(t *testing.T) {
	for in, want := range map[string][2]string{
		"+1 (212) 555-2671":  {"+1", "+1 212"},
		"0012125552671":      {"+1", "+1 212"},
		"tel:+1-416-5552671": {"+1", "+1 416"},
		"+49 30 901820":      {"+49", "+49"},
		"+44 (0)20 79460000": {"+44", "+44"},
		"＋３５３ 1 6771111":     {"+353", "+353"},
		"+7 495 1234567":     {"+7", "+7"},
		"+379 06 698 12345":  {"+379", "+379"},
		// North America has eleven digits, and neither an area nor an office begins with 0 or 1.
		"+1 212 555 267":  {"+1", "unknown"},
		"+1 112 555 2671": {"+1", "unknown"},
		"+1 212 155 2671": {"+1", "unknown"},
		// What does not say its country has none.
		"030 901820": {"unknown", "unknown"}, "2125552671": {"unknown", "unknown"}, "+210 123 4567": {"unknown", "unknown"},
		"+999 123 4567": {"unknown", "unknown"}, "+49": {"unknown", "unknown"}, "+49 30 call me": {"unknown", "unknown"},
		"": {"unknown", "unknown"}, "+1234567890123456": {"unknown", "unknown"}, "+" + strings.Repeat(" ", 300) + "4930901820": {"unknown", "unknown"},
	} {
		assert.Equal(t, want[0], labelOf(t, generalize.Spec{As: anonymize.AsPhoneCountry}, in), in)
		assert.Equal(t, want[1], labelOf(t, generalize.Spec{As: anonymize.AsPhoneArea}, in), in)
	}
	named := generalize.Spec{As: anonymize.AsPhoneCountry, Values: map[string]string{"+49": "DE", "+1": "NANP"}}
	assert.Equal(t, "DE", labelOf(t, named, "+49 30 901820"))
}

func TestAddressesLeaveNetworks(t *testing.T) {
	for in, want := range map[string][2]string{
		"198.51.100.7":              {"198.51.0.0/16", "198.0.0.0/8"},
		" 198.51.100.7:443 ":        {"198.51.0.0/16", "198.0.0.0/8"},
		"::ffff:198.51.100.7":       {"198.51.0.0/16", "198.0.0.0/8"},
		"2001:db8:1:2:3:4:5:6":      {"2001:db8::/32", "2001:db8:1::/48"},
		"[2001:DB8:1::1]:80":        {"2001:db8::/32", "2001:db8:1::/48"},
		"fe80::1%eth0":              {"fe80::/32", "fe80::/48"},
		"0.0.0.0":                   {"unknown", "unknown"},
		"::":                        {"unknown", "unknown"},
		"198.51.100":                {"unknown", "unknown"},
		"198.51.100.7/16":           {"unknown", "unknown"},
		"198.051.100.7":             {"unknown", "unknown"},
		"198.51.100.7, 203.0.113.9": {"unknown", "unknown"},
		"example.com":               {"unknown", "unknown"},
	} {
		assert.Equal(t, want[0], labelOf(t, generalize.Spec{As: anonymize.AsIPNetwork}, in), in)
		assert.Equal(t, want[1], labelOf(t, generalize.Spec{As: anonymize.AsIPNetwork, Bits: generalize.Bits{V4: 8, V6: 48}}, in), in)
	}
}

func TestFaultsOfBits(t *testing.T) {
	for want, s := range map[string]generalize.Spec{
		"want 1 to 24 bits of an IPv4 address, got 25; correct it\nwant 1 to 48 bits of an IPv6 address, got -1; correct it": {As: anonymize.AsIPNetwork, Bits: generalize.Bits{V4: 25, V6: -1}},
		"want bits only together with as: ip_network; remove them":                                                           {Bits: generalize.Bits{V4: 8}},
	} {
		_, err := generalize.NewLabeler(s)
		assert.EqualError(t, err, want)
	}
}

// FuzzPhonesAndAddresses requires that of a number or an address no more is left than was asked for.
func FuzzPhonesAndAddresses(f *testing.F) {
	for _, seed := range []string{"+1 (212) 555-2671", "0012125552671", "+49 30 901820", "::ffff:1.2.3.4", "[2001:db8::1]:80", "1.2.3.4:5", "fe80::1%e"} {
		f.Add(seed)
	}
	phone, err := generalize.NewLabeler(generalize.Spec{As: anonymize.AsPhoneArea})
	require.NoError(f, err)
	network, err := generalize.NewLabeler(generalize.Spec{As: anonymize.AsIPNetwork})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, in string) {
		if label, known := phone.Label(nil, text(in)); known && (len(label) > len("+1 212") || label[0] != '+') {
			t.Fatal("more than an area is left")
		}
		label, known := network.Label(nil, text(in))
		if known && !bytes.HasSuffix(label, []byte(".0.0/16")) && !bytes.HasSuffix(label, []byte("::/32")) {
			t.Fatal("more than a network is left")
		}
	})
}
