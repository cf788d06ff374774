// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// report prints what was measured.
type report struct {
	w    io.Writer
	json bool
}

// jsonLine is one line of -json. Seconds and memory are medians; a ratio is the median of the paired
// ratios, ours divided by the peer's.
type jsonLine struct {
	Measure  string  `json:"measure"`
	Rows     int64   `json:"rows"`
	OursS    float64 `json:"ours_s"`
	Peer     string  `json:"peer"`
	PeerS    float64 `json:"peer_s"`
	Ratio    float64 `json:"ratio"`
	OursCPU  float64 `json:"ours_cpu_s"`
	PeerCPU  float64 `json:"peer_cpu_s"`
	CPURatio float64 `json:"cpu_ratio"`
	OursRSS  float64 `json:"ours_rss_mb"`
	PeerRSS  float64 `json:"peer_rss_mb"`
	Pairs    int     `json:"pairs"`
}

func summary(m measure, l line) jsonLine {
	round := func(f func(pair) float64) float64 {
		return float64(int64(median(l.pairs, f)*1000+0.5)) / 1000
	}
	return jsonLine{
		Measure: m.name, Rows: l.rows, Peer: l.peer, Pairs: len(l.pairs),
		OursS:    round(func(p pair) float64 { return p.ours.wall.Seconds() }),
		PeerS:    round(func(p pair) float64 { return p.peer.wall.Seconds() }),
		Ratio:    round(func(p pair) float64 { return p.ours.wall.Seconds() / p.peer.wall.Seconds() }),
		OursCPU:  round(func(p pair) float64 { return p.ours.cpu.Seconds() }),
		PeerCPU:  round(func(p pair) float64 { return p.peer.cpu.Seconds() }),
		CPURatio: round(func(p pair) float64 { return p.ours.cpu.Seconds() / p.peer.cpu.Seconds() }),
		OursRSS:  round(func(p pair) float64 { return float64(p.ours.rss) / 1e6 }),
		PeerRSS:  round(func(p pair) float64 { return float64(p.peer.rss) / 1e6 }),
	}
}

// head says what was measured on.
func (r report) head(b *bench) {
	if r.json {
		return
	}
	fmt.Fprintf(r.w, "machine   %s, %d processors, %s/%s, %s\n", processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	fmt.Fprintf(r.w, "throng    %s\n", revision(b))
	fmt.Fprintf(r.w, "duckdb    %s, duckdb-go %s\n", b.duckDBVersion, module(b.self, "github.com/duckdb/duckdb-go/v2"))
	if b.beam {
		fmt.Fprintf(r.w, "beam      privacy-on-beam %s on beam %s, direct runner\n",
			module(b.beamBin, "github.com/google/differential-privacy/privacy-on-beam/v3"), module(b.beamBin, "github.com/apache/beam/sdks/v2"))
	}
	fmt.Fprintf(r.w, "run       %d rows, %d processors for each side, %d pairs in turns, caches warm\n", b.rows, b.threads, b.pairs)
	if anonymous(os.Getpid()) == 0 {
		fmt.Fprintln(r.w, "memory    not measured: this system does not tell it as Linux does")
	}
}

// measure prints the lines of one measure.
func (r report) measure(m measure, lines []line) {
	for _, l := range lines {
		s := summary(m, l)
		if r.json {
			text, _ := json.Marshal(s) // numbers and names only
			fmt.Fprintf(r.w, "%s\n", text)
			continue
		}
		fmt.Fprintf(r.w, "\n%s against %s, %d rows, %d pairs\n", m.name, s.Peer, s.Rows, s.Pairs)
		fmt.Fprintf(r.w, "  seconds   %9.3f  %9.3f   ratio %.3f\n", s.OursS, s.PeerS, s.Ratio)
		fmt.Fprintf(r.w, "  cpu s     %9.3f  %9.3f   ratio %.3f\n", s.OursCPU, s.PeerCPU, s.CPURatio)
		fmt.Fprintf(r.w, "  peak MB   %9.0f  %9.0f\n", s.OursRSS, s.PeerRSS)
		if l.check != "" {
			fmt.Fprintf(r.w, "  check     %s\n", l.check)
		}
		if l.sql != "" {
			fmt.Fprintf(r.w, "  sql\n    %s\n", strings.ReplaceAll(l.sql, "\n", "\n    "))
		}
	}
}

// module is the version of a module in a binary.
func module(binary, path string) string {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return "of unknown version"
	}
	for _, d := range info.Deps {
		if d.Path == path {
			return d.Version
		}
	}
	return "of unknown version"
}

// revision is the commit of the tree that throng was built from, where git knows it.
func revision(b *bench) string {
	out, err := exec.Command("git", "-C", b.root, "describe", "--always", "--dirty", "--abbrev=12").Output()
	if err != nil {
		return "of unknown revision"
	}
	return strings.TrimSpace(string(out))
}

func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "processor of unknown kind"
	}
	for line := range strings.Lines(string(info)) {
		if rest, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(rest, "\t :"))
		}
	}
	return "processor of unknown kind"
}
