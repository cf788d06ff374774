// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// command is a process to measure. Its output goes to a file, so that no pipe is part of the time.
type command struct {
	path  string
	args  []string
	procs int    // GOMAXPROCS
	out   string // file of what it prints
	fresh string // file or folder that must not be there when it starts
}

// sample is one run.
type sample struct {
	wall, cpu time.Duration
	rss       int64 // peak of anonymous memory in bytes; 0 where the system does not tell
}

// run runs the process and waits for its end.
func (c *command) run(ctx context.Context) (sample, error) {
	if c.fresh != "" {
		if err := os.RemoveAll(c.fresh); err != nil {
			return sample{}, err
		}
	}
	out, err := os.Create(c.out)
	if err != nil {
		return sample{}, err
	}
	defer out.Close()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, c.path, c.args...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(c.procs))
	cmd.Stdout, cmd.Stderr = out, &stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return sample{}, err
	}
	ended, peak := make(chan struct{}), make(chan int64)
	go watch(cmd.Process.Pid, ended, peak)
	err = cmd.Wait()
	s := sample{wall: time.Since(start)}
	close(ended)
	s.rss = <-peak
	if err != nil {
		return sample{}, fmt.Errorf("running %s: %w: %s", c.path, err, strings.TrimSpace(stderr.String()))
	}
	s.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return s, nil
}

// watch samples the process's memory until it has ended, and sends the peak.
func watch(pid int, ended <-chan struct{}, peak chan<- int64) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	most := int64(0)
	for {
		select {
		case <-ended:
			peak <- most
			return
		case <-tick.C:
			most = max(most, anonymous(pid))
		}
	}
}

// anonymous is a process's memory that is no file's, on Linux; elsewhere 0.
func anonymous(pid int) int64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10
		}
	}
	return 0
}

// pair is two runs, one right after the other.
type pair struct{ ours, peer sample }

// inTurns runs both commands n times; who goes first alternates. Warm runs both once before, untimed.
// No pair but the first begins after enough.
func inTurns(ctx context.Context, ours, peer *command, n int, warm bool, enough time.Duration) ([]pair, error) {
	var out []pair
	start := time.Now()
	first := 0
	if warm {
		first = -1
	}
	for i := first; i < n && (len(out) == 0 || time.Since(start) < enough); i++ {
		var p pair
		turns := []func() error{
			func() (err error) { p.ours, err = ours.run(ctx); return err },
			func() (err error) { p.peer, err = peer.run(ctx); return err },
		}
		if i%2 != 0 {
			slices.Reverse(turns)
		}
		for _, turn := range turns {
			if err := turn(); err != nil {
				return nil, err
			}
		}
		if i >= 0 {
			out = append(out, p)
		}
	}
	return out, nil
}

// median is the middle of f over the pairs, and the mean of the middle two where their number is even.
func median(pairs []pair, f func(pair) float64) float64 {
	var all []float64
	for _, p := range pairs {
		all = append(all, f(p))
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}
