// SPDX-License-Identifier: Apache-2.0

package anonymize

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// TCF allows people whose consent string of the Transparency and Consent Framework, version 2, consents to all of the
// given purposes. The zero value refuses all. It is safe for concurrent use.
//
// It reads the core segment of a TC string (Transparency and Consent String with Global Vendor & CMP List Formats,
// IAB Tech Lab), and the form in which apps keep its purposes, one 0 or 1 for each (IABTCF_PurposeConsents). A string of
// another version, one that is cut off, and one that is not specific to the service, which version 2.2 no longer
// allows, refuse. Legitimate interest is no consent.
type TCF struct {
	column   string
	purposes []int64
	unset    Verdict
}

// The core segment's fields that are read, in bits.
const (
	tcfVersion  = 2
	tcfSpecific = 138
	tcfPurposes = 152
	// maxTCFPurpose is how many purposes there is room for.
	maxTCFPurpose = 24
	// maxTCF is longer than any core segment.
	maxTCF = 1 << 12
)

// NewTCF returns the rule that a column must consent to all purposes, which are numbered from 1 to 24.
func NewTCF(column string, purposes ...int64) (*TCF, error) {
	var faults []error
	if column == "" {
		faults = append(faults, errors.New("want the name of a column; add it"))
	}
	if len(purposes) == 0 {
		faults = append(faults, errors.New("want at least one purpose; 8 is content measurement, 9 audience statistics"))
	}
	for _, p := range purposes {
		if p < 1 || p > maxTCFPurpose {
			faults = append(faults, fmt.Errorf("want purposes of 1 to %d, got %d; correct it", maxTCFPurpose, p))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return &TCF{column: column, purposes: slices.Clone(purposes)}, nil
}

// AllowUnset returns the rule that also allows whoever has no string.
func (t *TCF) AllowUnset() *TCF {
	other := *t
	other.unset = Allowed
	return &other
}

// Check says whether a cell consents. What is not text refuses, but for null, which is as the rule says.
func (t *TCF) Check(v Value) Verdict {
	if !v.Valid {
		return t.unset
	}
	if v.Kind != Bytes {
		return Refused
	}
	text := bytes.TrimSpace(v.Bytes)
	consents := inApp
	if !isZerosAndOnes(text) {
		text = coreSegment(text)
		consents = inCore
	}
	for _, p := range t.purposes {
		if !consents(text, int(p)) {
			return Refused
		}
	}
	if len(t.purposes) == 0 {
		return Refused
	}
	return Allowed
}

// String says who is kept.
func (t *TCF) String() string {
	var all []string
	for _, p := range t.purposes {
		all = append(all, fmt.Sprint(p))
	}
	return fmt.Sprintf("records of people whose %s does not consent to the purposes %s", t.column, strings.Join(all, ", "))
}

func isZerosAndOnes(text []byte) bool {
	for _, c := range text {
		if c != '0' && c != '1' {
			return false
		}
	}
	return len(text) > 0
}

// inApp reads the form of apps.
func inApp(text []byte, purpose int) bool { return purpose <= len(text) && text[purpose-1] == '1' }

// coreSegment returns the bytes of the first segment of a TC string, nil where that is none that counts.
func coreSegment(text []byte) []byte {
	core, _, _ := bytes.Cut(text, []byte("."))
	if len(core) > maxTCF {
		return nil
	}
	bits := make([]byte, base64.RawURLEncoding.DecodedLen(len(core)))
	n, err := base64.RawURLEncoding.Decode(bits, core)
	bits = bits[:n]
	if err != nil || len(bits)*8 < tcfPurposes+maxTCFPurpose || bits[0]>>2 != tcfVersion || !bit(bits, tcfSpecific) {
		return nil
	}
	return bits
}

// inCore reads the core segment; nil consents to nothing.
func inCore(bits []byte, purpose int) bool { return bits != nil && bit(bits, tcfPurposes+purpose-1) }

func bit(bits []byte, n int) bool { return bits[n/8]>>(7-n%8)&1 == 1 }
