// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// forever is longer than any run.
const forever = 24 * time.Hour

// line is a measured ratio.
type line struct {
	peer  string
	rows  int64
	pairs []pair
	sql   string
	check string // what was compared, in words
}

// measure runs a measure against each of its peers. An error that is errFar comes with the lines.
func (b *bench) measure(ctx context.Context, m measure) ([]line, error) {
	if m.against != nil {
		l, err := b.againstItself(ctx, m)
		return []line{l}, err
	}
	duck, far := b.againstDuckDB(ctx, m)
	if far != nil && duck.check == "" {
		return nil, far
	}
	lines := []line{duck}
	if m.beam && b.beam {
		l, err := b.againstBeam(ctx, m)
		if err != nil && l.check == "" {
			return nil, err
		}
		lines = append(lines, l)
		if far == nil {
			far = err
		}
	}
	return lines, far
}

// ours is partnerreport with a policy and a release that are written here.
func (b *bench) ours(tag, policy string, questions []question, inputs ...string) (*command, error) {
	dir := filepath.Join(b.scratch, tag)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	files := map[string]string{"policy.yaml": policy, "release.yaml": release(questions...)}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	c := &command{path: b.throng, procs: b.threads, out: filepath.Join(dir, "stdout"), fresh: filepath.Join(dir, "out")}
	c.args = append([]string{"-quiet", "-policy", filepath.Join(dir, "policy.yaml"),
		"-release", filepath.Join(dir, "release.yaml"), "-out", c.fresh}, inputs...)
	return c, nil
}

func (b *bench) againstDuckDB(ctx context.Context, m measure) (line, error) {
	q := m.questions[0]
	usage, err := b.file(m.format, b.rows)
	if err != nil {
		return line{}, err
	}
	ours, err := b.ours(m.name, m.policy, m.questions, "-usage", usage)
	if err != nil {
		return line{}, err
	}
	query := strings.ReplaceAll(q.sql, "FROM", from(m.format, usage))
	peer := &command{
		path: b.self, args: []string{"-child", query, "-threads", strconv.Itoa(b.threads)},
		procs: b.threads, out: filepath.Join(b.scratch, m.name+".duckdb.csv"),
	}
	b.progress(m, "duckdb")
	pairs, err := inTurns(ctx, ours, peer, b.pairs, true, forever)
	if err != nil {
		return line{}, err
	}
	theirs, err := readDuckDB(peer.out, q)
	if err != nil {
		return line{}, err
	}
	l := line{peer: "duckdb", rows: b.rows, pairs: pairs, sql: strings.ReplaceAll(q.sql, "FROM", from(m.format, filepath.Base(usage)))}
	l.check, err = near(ctx, ours, q, theirs, nil)
	return l, err
}

func (b *bench) againstBeam(ctx context.Context, m measure) (line, error) {
	q, rows := m.questions[0], min(b.rows, b.beamRows)
	usage, err := b.file(m.format, rows)
	if err != nil {
		return line{}, err
	}
	ours, err := b.ours(m.name+"-beam", m.policy, m.questions, "-usage", usage)
	if err != nil {
		return line{}, err
	}
	result := filepath.Join(b.scratch, m.name+".beam.txt")
	peer := &command{path: b.beamBin, procs: b.threads, out: result + ".stdout", fresh: result}
	peer.args = []string{"-in", usage, "-out", result, "-group", strings.Join(q.groupBy, ",")}
	if strings.Contains(q.stats, "events") {
		peer.args = append(peer.args, "-sum")
	}
	b.progress(m, "beam")
	pairs, err := inTurns(ctx, ours, peer, min(b.pairs, 3), false, time.Minute)
	if err != nil {
		return line{}, err
	}
	theirs, widths, err := readBeam(result, q)
	if err != nil {
		return line{}, err
	}
	l := line{peer: "beam", rows: rows, pairs: pairs}
	l.check, err = near(ctx, ours, q, theirs, widths)
	return l, err
}

func (b *bench) againstItself(ctx context.Context, m measure) (line, error) {
	usage, err := b.file(m.format, b.rows)
	if err != nil {
		return line{}, err
	}
	inputs := []string{"-usage", usage}
	peer, err := b.ours(m.name+"-"+m.against.name, m.against.policy, m.against.questions, inputs...)
	if err != nil {
		return line{}, err
	}
	if m.against.one {
		peer.procs = 1
	}
	if m.visitors {
		visitors, err := b.visitors(b.rows)
		if err != nil {
			return line{}, err
		}
		inputs = append(inputs, "-visitors", visitors)
	}
	ours, err := b.ours(m.name, m.policy, m.questions, inputs...)
	if err != nil {
		return line{}, err
	}
	b.progress(m, m.against.name)
	pairs, err := inTurns(ctx, ours, peer, b.pairs, true, forever)
	return line{peer: "throng:" + m.against.name, rows: b.rows, pairs: pairs}, err
}

func (b *bench) progress(m measure, peer string) {
	fmt.Fprintf(b.stderr, "measuring %s against %s\n", m.name, peer)
}
