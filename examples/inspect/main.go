// SPDX-License-Identifier: Apache-2.0

// Command inspect tells a data owner which columns of raw records look like what, and drafts a policy and a
// release to start from.
//
//	go run ./examples/inspect                                  the demo's records
//	go run ./examples/inspect FILE...                          usage records
//	go run ./examples/inspect -usage F -visitors F -out DIR    writes DIR/policy.yaml and DIR/release.yaml
//
// It reads a sample of every column, so it is for whoever may read the raw records. What it prints and
// writes are names of columns, words of its own (none, some, most; few, dozens, hundreds, many) and settings
// that do not depend on the data: no value, no label, no bound and no count of an input. Exit codes: 0 done;
// 1 reading or writing failed; 2 flags, a missing file, a schema or a folder that has drafts.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // zones must not depend on the machine

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/fileio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/examples/internal/nocore"
)

func main() {
	_ = nocore.Set() // where a system refuses, cores are as they were
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program without its process.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args)
	if err == nil {
		err = o.do(ctx, stdout)
	}
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = errInterrupted
	}
	o.complain(err, stdout, stderr)
	return exitCode(err)
}

func (o *options) do(ctx context.Context, stdout io.Writer) error {
	if o.help {
		_, err := io.WriteString(stdout, helpText())
		return err
	}
	if err := o.checkOut(); err != nil {
		return err
	}
	r, err := o.inspect(ctx)
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := o.writeDrafts(ctx, r); err != nil {
			return err
		}
	}
	switch {
	case o.json:
		e := json.NewEncoder(stdout)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(r)
	case !o.quiet:
		_, err = io.WriteString(stdout, r.text(o))
	}
	return err
}

// inspect looks at both inputs and reports the faults of both.
func (o *options) inspect(ctx context.Context) (*report, error) {
	r := &report{today: time.Now().UTC()}
	var errs []error
	look := func(name aggregate.InputName, patterns []string) {
		if len(patterns) == 0 {
			return
		}
		src, err := fileio.Open(ctx, patterns, fileio.Options{})
		if err == nil {
			var in *input
			if in, err = sample(ctx, src, name, o.rows); err == nil {
				r.Inputs = append(r.Inputs, in)
			}
		}
		errs = append(errs, err)
	}
	look(aggregate.Usage, o.usage)
	look(aggregate.Visitors, o.visitors)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, in := range r.Inputs {
		if in.headless() {
			errs = append(errs, &table.Error{File: in.file, Err: table.ErrSchema,
				Problem: "the first line looks like a record, want the names of the columns; put a header line in front"})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := r.choosePerson(o.ids); err != nil {
		return nil, err
	}
	r.judge()
	return r, nil
}

// report is what was found.
type report struct {
	Inputs []*input `json:"inputs"`
	// Written are the drafts, where they were asked for.
	Written []string `json:"written,omitempty"`
	today   time.Time
}

func (r *report) input(name aggregate.InputName) *input {
	for _, in := range r.Inputs {
		if in.Name == name {
			return in
		}
	}
	return nil
}

// columns yields the columns of all inputs.
func (r *report) columns(yield func(*column) bool) {
	for _, in := range r.Inputs {
		for _, c := range in.Columns {
			if !yield(c) {
				return
			}
		}
	}
}

// missingID is the fault of an input in which nothing looks like a person's id.
func missingID(in *input) error {
	return commandError(fmt.Sprintf("%s: got no column that looks like the id of a person; name it with -id COLUMN", in.file))
}
