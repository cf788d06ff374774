// SPDX-License-Identifier: Apache-2.0

package spill_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/throngdp/throng/aggregate/internal/spill"
)

const (
	benchSegment = 10_000
	benchBuckets = 1024
	// benchRound is how many segments a store takes before it is replaced: 512 MiB, so that a long run
	// measures memory and the page cache rather than one machine's disk.
	benchRound = 1 << 29 / benchSegment
)

// eachGoroutine runs f in g goroutines and gives each its part of n.
func eachGoroutine(g, n int, f func(g, n int)) {
	var wg sync.WaitGroup
	for i := range g {
		wg.Go(func() { f(i, (n+i)/g) })
	}
	wg.Wait()
}

// opened is a store in the folder that TMPDIR names.
func opened(b *testing.B) *spill.Store {
	b.Helper()
	s, err := spill.Open("")
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkAppend appends segments of 10 kB, in five parts as columns are, to all buckets in turn.
func BenchmarkAppend(b *testing.B) {
	for _, goroutines := range []int{1, 2} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			part := text(1, benchSegment/5)
			b.SetBytes(benchSegment)
			b.ReportAllocs()
			for left := b.N; left > 0; left -= benchRound {
				b.StopTimer()
				s := opened(b)
				b.StartTimer()
				eachGoroutine(goroutines, min(left, benchRound), func(g, n int) {
					for i := range n {
						if err := s.Append((i*goroutines+g)%benchBuckets, part, part, part, part, part); err != nil {
							b.Error(err)
							return
						}
					}
				})
				b.StopTimer()
				_ = s.Close()
				b.StartTimer()
			}
		})
	}
}

// BenchmarkRead reads the buckets of a store of 512 MiB one after the other; an operation is a segment.
func BenchmarkRead(b *testing.B) {
	s := opened(b)
	defer s.Close()
	part := text(1, benchSegment/5)
	for i := range benchRound {
		if err := s.Append(i%benchBuckets, part, part, part, part, part); err != nil {
			b.Fatal(err)
		}
	}
	for _, goroutines := range []int{1, 2} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			b.SetBytes(benchSegment)
			b.ReportAllocs()
			eachGoroutine(goroutines, b.N, func(g, n int) {
				buf := make([]byte, benchSegment+100)
				for bucket, read := g, 0; read < n; bucket = (bucket + goroutines) % benchBuckets {
					if err := s.Read(bucket, buf, func([]byte) error { read++; return nil }); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
