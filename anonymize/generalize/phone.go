// SPDX-License-Identifier: Apache-2.0

package generalize

import (
	"strings"

	"github.com/throngdp/throng/anonymize"
	"github.com/throngdp/throng/anonymize/internal/scalar"
)

// twoDigits and threeDigits are the country codes of Recommendation ITU-T E.164 that are longer than those of
// North America, 1, and of Russia and Kazakhstan, 7. None begins with another.
const (
	twoDigits   = " 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 "
	threeDigits = " 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239 " +
		"240 241 242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269 " +
		"290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 377 378 379 380 381 382 383 " +
		"385 386 387 389 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 597 598 599 " +
		"670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 800 808 850 852 853 855 856 " +
		"870 878 880 881 882 883 886 888 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979 " +
		"992 993 994 995 996 998 "
)

// countryCode returns how many of the digits of an international number are its country code, 0 where the ITU has
// given none of that kind.
func countryCode(digits string) int {
	switch {
	case digits == "":
		return 0
	case digits[0] == '1', digits[0] == '7':
		return 1
	case len(digits) > 2 && strings.Contains(twoDigits, " "+digits[:2]+" "):
		return 2
	case len(digits) > 3 && strings.Contains(threeDigits, " "+digits[:3]+" "):
		return 3
	}
	return 0
}

// phoneDigits returns the digits of an international number, "" where a text is none.
func phoneDigits(text []byte) string {
	if len(text) > anonymize.MaxText {
		return ""
	}
	digits, ok := scalar.AppendPhone(nil, text)
	if !ok {
		return ""
	}
	return string(digits)
}

// plus writes an international number.
func plus(digits string) string {
	if digits == "" {
		return ""
	}
	return "+" + digits
}

// phoneCountry returns the country code of an international number, as +49.
func phoneCountry(text []byte) string {
	digits := phoneDigits(text)
	if n := countryCode(digits); n > 0 {
		return "+" + digits[:n]
	}
	return ""
}

// phoneArea returns the country code, and in North America the three digits of the area too, as "+1 212".
func phoneArea(text []byte) string {
	digits := phoneDigits(text)
	switch n := countryCode(digits); {
	case n == 0:
		return ""
	case digits[0] != '1':
		return "+" + digits[:n]
	case len(digits) != 11 || digits[1] < '2' || digits[4] < '2':
		return "" // no number of the North American plan
	}
	return "+1 " + digits[1:4]
}
