// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
)

var (
	genders    = []string{"F", "M", "x", ""}
	courses    = []string{"algebra", "botany", "chess", "drawing"}
	activities = []string{"forum", "quiz", "video", "walk"}
	channels   = []string{"app", "web", "fax"}
	regions    = []string{"north", "south"}
	// badTexts are labels, ids and numbers that nobody expects.
	badTexts = []string{
		"", " ", "\x00", "a\x00b", "\xff\xfe", "\xed\xa0\x80", "null", "\\N", "NaN", "=1+1", "\u202emoc", "ＡＢＣ",
		"9223372036854775808", "-9223372036854775809", "1e999", "-1e999", "inf", "-inf", "-0", "5e-324", "0x10", "1_000", "１２",
	}
	badFloats = []float64{
		math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 5e-324, math.MaxFloat64, -math.MaxFloat64, 0x1p63, -0x1p63,
	}
	badInts = []int64{math.MinInt64, math.MaxInt64, -1, 0, 1 << 62, -1 << 62}
)

// crowd returns n people with a few records each. Person i is the same in every crowd of one seed.
func crowd(seed uint64, n int) world {
	r := rand.New(rand.NewPCG(seed, 1))
	var w world
	for i := range n {
		id := []byte("person-" + strconv.Itoa(i))
		for range 1 + r.IntN(8) {
			w.uses = append(w.uses, use{
				ID: id, Course: pick(r, courses), Activity: pick(r, activities), Channel: pick(r, channels),
				Device: []byte("phone"), At: []byte(fmt.Sprintf("2026-03-%02dT12:00:00Z", 1+r.IntN(28))),
				Seconds: []byte(strconv.Itoa(r.IntN(5000))), Score: ptr(r.Float64()*3 - 1.5), Points: ptr(r.Int64N(90) - 45),
			})
		}
		w.visits = append(w.visits, visit{
			ID: id, Gender: pick(r, genders), Born: []byte(strconv.Itoa(1950 + r.IntN(60))), Region: pick(r, regions),
			Share: []byte("yes"),
		})
	}
	return w
}

func pick(r *rand.Rand, from []string) []byte { return []byte(from[r.IntN(len(from))]) }

// adversary returns the records of one person who tries to change more than a person may. Each kind
// does something else; the randomness decides the details.
func adversary(r *rand.Rand, kind int) world {
	id := []byte("adversary")
	var w world
	ordinary := func() use {
		return use{
			ID: id, Course: pick(r, courses), Activity: pick(r, activities), Channel: pick(r, channels), Device: pick(r, channels),
			At: []byte("2026-03-16T00:00:00Z"), Seconds: []byte("3600"), Score: ptr(1.0), Points: ptr(int64(100)),
		}
	}
	add := func(n int, edit func(i int, u *use)) {
		for i := range n {
			u := ordinary()
			edit(i, &u)
			w.uses = append(w.uses, u)
		}
	}
	visitors := 1
	switch kind % adversaries {
	case 0: // many groups
		add(1000, func(i int, u *use) { u.Course = fmt.Appendf(nil, "course-%d", i) })
	case 1: // many records in one group
		add(10_000, func(_ int, u *use) {
			u.Course, u.Activity, u.Channel = []byte("algebra"), []byte("quiz"), []byte("app")
		})
	case 2: // numbers that are none, or huge
		add(200, func(_ int, u *use) {
			u.Score, u.Points = ptr(badFloats[r.IntN(len(badFloats))]), ptr(badInts[r.IntN(len(badInts))])
			u.Seconds = pick(r, badTexts)
		})
	case 3: // all of one huge number
		add(500, func(_ int, u *use) {
			u.Score, u.Points, u.Seconds = ptr(-math.MaxFloat64), ptr(int64(math.MinInt64)), []byte("1e308")
		})
	case 4: // labels that are none
		add(300, func(_ int, u *use) {
			u.Course, u.Activity, u.Channel, u.Device = pick(r, badTexts), pick(r, badTexts), pick(r, badTexts), pick(r, badTexts)
		})
	case 5: // nothing but nulls
		add(5, func(_ int, u *use) { *u = use{ID: id} })
	case 6: // a group of their own, on the edges of days
		for i, at := range []string{"2026-03-15T23:59:59.999999Z", "2026-03-16T00:00:00Z", "2026-03-16T23:59:59.999999Z", "2026-03-17T00:00:00Z", "never"} {
			add(1, func(_ int, u *use) { u.Course, u.At, u.Points = []byte("lonely"), []byte(at), ptr(int64(i)) })
		}
	case 7: // many visitor records that disagree
		add(20, func(int, *use) {})
		visitors = 50
	case 8: // no visitor record
		add(20, func(int, *use) {})
		visitors = 0
	case 9: // a visitor record alone
		visitors = 2
	}
	for range visitors {
		w.visits = append(w.visits, visit{
			ID: id, Gender: pick(r, genders), Born: fmt.Appendf(nil, "%d", 1900+r.IntN(130)), Region: pick(r, append(regions, badTexts...)),
			Share: pick(r, []string{"yes", "yes", "yes", "no", ""}),
		})
	}
	return w
}

// adversaries is how many kinds of adversary there are.
const adversaries = 10
