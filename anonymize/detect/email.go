// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"bytes"
	"unicode/utf8"
)

// The longest local part and domain of RFC 5321.
const (
	maxLocal  = 64
	maxDomain = 255
)

// hasEmail reports whether there is an address in a text.
func hasEmail(t []byte) bool {
	for i := 1; i < len(t)-3; i++ {
		next := bytes.IndexByte(t[i:], '@')
		if next < 0 {
			return false
		}
		i += next
		if hasLocal(t[:i]) && hasDomain(t[i+1:]) {
			return true
		}
	}
	return false
}

// hasLocal reports whether a text ends in a local part.
func hasLocal(t []byte) bool {
	sign := false
	i := len(t)
	for i > 0 && len(t)-i < maxLocal && isLocal(t[i-1]) {
		i--
		sign = sign || isAlnum(t[i]) || t[i] >= utf8.RuneSelf
	}
	return sign
}

func isLocal(c byte) bool {
	return isWord(c) || c >= utf8.RuneSelf || bytes.IndexByte([]byte(".+-'!#$&*^`{|}~"), c) >= 0
}

// hasDomain reports whether a text begins with two labels or more, the last of which is a name.
func hasDomain(t []byte) bool {
	t = t[:min(len(t), maxDomain)]
	n := 0
	for n < len(t) && (isAlnum(t[n]) || t[n] == '-' || t[n] == '.' || t[n] >= utf8.RuneSelf) {
		n++
	}
	t = bytes.TrimRight(t[:n], ".-")
	dot := bytes.LastIndexByte(t, '.')
	if dot < 1 || t[0] == '.' || t[0] == '-' {
		return false
	}
	top := t[dot+1:]
	return isName(top) && !isAsset(top)
}

// isName reports whether a label can be the last of a domain.
func isName(label []byte) bool {
	if len(label) > 4 && bytes.EqualFold(label[:4], []byte("xn--")) {
		return true
	}
	for _, c := range label {
		if !isLetter(c) && c < utf8.RuneSelf {
			return false
		}
	}
	return len(label) >= 2
}

// assets are the extensions of files of which web sites are made.
var assets = [][]byte{
	[]byte("avif"), []byte("css"), []byte("eot"), []byte("gif"), []byte("htm"), []byte("html"), []byte("ico"), []byte("jpeg"), []byte("jpg"),
	[]byte("js"), []byte("json"), []byte("map"), []byte("mjs"), []byte("mp4"), []byte("otf"), []byte("pdf"), []byte("png"), []byte("svg"),
	[]byte("ttf"), []byte("webm"), []byte("webp"), []byte("woff"), []byte("woff2"),
}

// isAsset recognises the likes of icon@2x.png.
func isAsset(extension []byte) bool {
	for _, asset := range assets {
		if bytes.EqualFold(extension, asset) {
			return true
		}
	}
	return false
}
