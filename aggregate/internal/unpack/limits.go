// SPDX-License-Identifier: Apache-2.0

package unpack

// Defaults of Limits, and the bounds that are not for callers to change.
const (
	// defaultMaxOutput is far above any file that one machine scans in a day.
	defaultMaxOutput = 1 << 40
	// defaultMaxRatio: server logs compress 10 to 30 times, and the most repetitive ones that still
	// hold an id and a time in every line about 100 times. Zeros reach 1,030 (gzip) or 30,000 (zstd).
	defaultMaxRatio = 200
	// freeOutput may be produced at any ratio: small files of one repeated line are honest, and this
	// much takes well under a second.
	freeOutput = 512 << 20
	// maxLayers is how many times over a file may be compressed.
	maxLayers = 2
	// maxWindow is what `zstd --long` (2^27) needs.
	maxWindow = 128 << 20
	// maxMembers is the number of entries that a zip may list.
	maxMembers = 10_000
	// maxDirectory bounds the bytes of a zip's directory that are read: over 800 per entry allowed.
	maxDirectory = 8 << 20
)

// Limits bounds what a compressed file may unpack to, counted on output bytes. A member may produce
//
//	min(MaxOutput, max(512 MiB, MaxRatio × compressed size))
//
// bytes, on every layer of compression; the members of one zip share the 512 MiB equally, so that
// many small members are no way around it. Files that are not compressed have no limit.
type Limits struct {
	// MaxOutput is the most bytes that one member may unpack to; zero means 1 TiB.
	MaxOutput int64
	// MaxRatio is how many times its compressed size a member may unpack to; zero means 200.
	MaxRatio int64
}

// output returns the number of bytes that size compressed bytes may become, for one of n members.
func (l Limits) output(size int64, n int) int64 {
	most, ratio := l.MaxOutput, l.MaxRatio
	if most <= 0 {
		most = defaultMaxOutput
	}
	if ratio <= 0 {
		ratio = defaultMaxRatio
	}
	if size > most/ratio { // so that the product below cannot overflow
		return most
	}
	return min(most, max(freeOutput/int64(max(n, 1)), ratio*size))
}
