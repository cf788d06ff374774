// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/throngdp/throng/benchmarks/internal/data"
)

// dataVersion is part of the files' names; raise it when the generator writes other bytes.
const dataVersion = 1

// file is the path of a generated file, which is made where it is missing.
func (b *bench) file(format string, rows int64) (string, error) {
	return b.generated(fmt.Sprintf("usage-%d-v%d.%s", rows, dataVersion, format), format, rows, (*data.Generator).WriteUsage)
}

// visitors is the path of the people's own file.
func (b *bench) visitors(rows int64) (string, error) {
	return b.generated(fmt.Sprintf("visitors-%d-v%d.parquet", rows, dataVersion), "parquet", rows, (*data.Generator).WriteVisitors)
}

func (b *bench) generated(name, format string, rows int64, write func(*data.Generator, io.Writer) error) (string, error) {
	path := filepath.Join(b.data, name)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	fmt.Fprintln(b.stderr, "generating", name)
	g, err := data.New(data.Config{
		Rows: rows, People: rows / 10, Days: 14, Seed: 1, IDs: "hex16", Sort: "time", Format: format, Codec: "snappy",
	})
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(b.scratch, "generated-")
	if err != nil {
		return "", err
	}
	if err := errors.Join(write(g, f), f.Close()); err != nil {
		return "", err
	}
	return path, os.Rename(f.Name(), path)
}

// build makes the programs that are measured.
func (b *bench) build(ctx context.Context) error {
	if b.throng == "" {
		b.throng = filepath.Join(b.scratch, "partnerreport")
		fmt.Fprintln(b.stderr, "building partnerreport")
		if _, err := output(ctx, "go", "build", "-C", b.root, "-o", b.throng, "./examples/partnerreport"); err != nil {
			return err
		}
	}
	if !b.beam {
		return nil
	}
	b.beamBin = filepath.Join(b.scratch, "beam")
	fmt.Fprintln(b.stderr, "building beam: minutes the first time")
	_, err := output(ctx, "go", "build", "-C", filepath.Join(b.root, "benchmarks", "peers"), "-o", b.beamBin, "./beam")
	return err
}

// output runs a command and returns what it printed.
func output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
