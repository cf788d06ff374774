// SPDX-License-Identifier: Apache-2.0

package anonymize

import (
	"fmt"
	"slices"
	"strings"
)

// As says how the values of a column are to be read. It is declared, never guessed: 13 may be an
// age, a day of a course or a second. The zero value is unset.
type As string

// The ways of reading a person's age.
const (
	// AsAge is an age in completed years.
	AsAge As = "age"
	// AsBirthYear is the year of birth: 1984, "1984.0".
	AsBirthYear As = "birth_year"
	// AsBirthDate is the date of birth: 1984-05-06, with or without a time, or 19840506.
	AsBirthDate As = "birth_date"
)

// The ways of reading a time.
const (
	// AsRFC3339 is 2026-03-16T10:05:03Z; with a space for T, without seconds, without an offset (then
	// in the column's zone) or a date alone (then the start of that day).
	AsRFC3339 As = "rfc3339"
	// AsDate is 2026-03-16, the start of that day in the column's zone.
	AsDate As = "date"
	// AsYYYYMMDD is 20260316, the start of that day in the column's zone.
	AsYYYYMMDD As = "yyyymmdd"
	// AsCLF is 17/May/2015:10:05:03 +0000, as web servers write it.
	AsCLF As = "clf"
	// AsUnixS to AsUnixNS count from 1970-01-01T00:00:00Z in seconds to nanoseconds.
	AsUnixS  As = "unix_s"
	AsUnixMS As = "unix_ms"
	AsUnixUS As = "unix_us"
	AsUnixNS As = "unix_ns"
	// AsDayOffset counts days from a start that the input does not name, such as a course's.
	AsDayOffset As = "day_offset"
)

// The ways of reading a text that leave a part of what it says.
const (
	// AsRegistrableDomain is a URL, a referrer or a host, of which the domain under a public suffix is left:
	// bbc.co.uk of https://www.bbc.co.uk/news. An IP address has none.
	AsRegistrableDomain As = "registrable_domain"
	// AsBrowserFamily is a User-Agent header, of which the kind of browser is left: chrome, safari, firefox,
	// edge, samsung_internet, opera, yandex, uc_browser, duckduckgo, internet_explorer, bot or other.
	AsBrowserFamily As = "browser_family"
	// AsDeviceClass is a User-Agent header, of which the kind of device is left: phone, tablet, desktop, tv,
	// console, bot or other.
	AsDeviceClass As = "device_class"
	// AsPrefix is a code such as a postal one, of which the first characters are left, in upper case and without
	// white space and dashes: SW1 of "sw1a 1aa".
	AsPrefix As = "prefix"
	// AsPhoneCountry is an international phone number, with a plus sign or 00, of which the country code is left:
	// +49. Countries that share a code, such as those of North America, are one.
	AsPhoneCountry As = "phone_country"
	// AsPhone is an international phone number, of which nothing is left out: it serves a table of prefixes.
	AsPhone As = "phone"
	// AsPhoneArea is an international phone number, of which in North America the area code is left too: "+1 212".
	AsPhoneArea As = "phone_area"
	// AsIPNetwork is an IP address, of which the network is left: 198.51.0.0/16.
	AsIPNetwork As = "ip_network"
)

var (
	ageReadings  = []As{AsAge, AsBirthYear, AsBirthDate}
	timeReadings = []As{AsRFC3339, AsDate, AsYYYYMMDD, AsCLF, AsUnixS, AsUnixMS, AsUnixUS, AsUnixNS, AsDayOffset}
	textReadings = []As{AsRegistrableDomain, AsBrowserFamily, AsDeviceClass, AsPrefix, AsPhone, AsPhoneCountry, AsPhoneArea, AsIPNetwork}
)

// ParseAs returns the way of reading with the given name.
func ParseAs(name string) (As, error) {
	if a := As(name); a.IsAge() || a.IsTime() || a.IsText() {
		return a, nil
	}
	return "", fmt.Errorf("want one of %s, %s, %s; choose one", list(ageReadings), list(timeReadings), TextReadings())
}

// TextReadings lists the names of the ways of reading a text, for people.
func TextReadings() string { return list(textReadings) }

func list(readings []As) string {
	var names []string
	for _, a := range readings {
		names = append(names, string(a))
	}
	return strings.Join(names, ", ")
}

// IsAge reports whether a is a way of reading a person's age.
func (a As) IsAge() bool { return slices.Contains(ageReadings, a) }

// IsTime reports whether a is a way of reading a time.
func (a As) IsTime() bool { return slices.Contains(timeReadings, a) }

// IsText reports whether a is a way of reading a text that leaves a part of it.
func (a As) IsText() bool { return slices.Contains(textReadings, a) }
