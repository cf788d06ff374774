// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/throngdp/throng/aggregate"
)

// bundle is the folder that the printed command writes to.
func (o *options) bundle() string { return filepath.Join(o.out, "bundle") }

// checkOut refuses a folder that has drafts, before any data is read. Nothing is ever replaced.
func (o *options) checkOut() error {
	if o.out == "" {
		return nil
	}
	var errs []error
	policy, release := o.drafts()
	for _, path := range []string{policy, release} {
		switch _, err := os.Lstat(path); {
		case err == nil:
			errs = append(errs, commandError(fmt.Sprintf("-out: got a folder that has a %s, want one without; name another", filepath.Base(path))))
		case !errors.Is(err, fs.ErrNotExist):
			errs = append(errs, &writeError{fmt.Errorf("-out: %w; name a folder elsewhere", err)})
		}
	}
	return errors.Join(errs...)
}

// writeDrafts writes both drafts, or neither.
func (o *options) writeDrafts(ctx context.Context, r *report) error {
	policyFile, releaseFile := o.drafts()
	d := newDraft(r)
	policyText := d.policy()
	releaseText := d.release()
	if err := valid(policyFile, policyText, releaseFile, releaseText); err != nil {
		return &writeError{fmt.Errorf("the drafts do not hold, and were not written: %w", err)}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return &writeError{fmt.Errorf("-out: making the folder: %w", err)}
	}
	if err := create(policyFile, policyText); err != nil {
		return err
	}
	if err := create(releaseFile, releaseText); err != nil {
		return errors.Join(err, os.Remove(policyFile))
	}
	r.Written = []string{policyFile, releaseFile}
	return nil
}

// valid holds drafts to what reads them.
func valid(policyFile, policyText, releaseFile, releaseText string) error {
	policy, errP := aggregate.ParsePolicy(policyFile, []byte(policyText))
	release, errR := aggregate.ParseRelease(releaseFile, []byte(releaseText))
	if err := errors.Join(errP, errR); err != nil {
		return err
	}
	_, err := aggregate.NewPlan(policy, release)
	return err
}

// create writes a file that is not there yet.
func create(path, content string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return &writeError{fmt.Errorf("-out: %w", err)}
	}
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Close()); err != nil {
		return &writeError{errors.Join(fmt.Errorf("-out: %w", err), os.Remove(path))}
	}
	return nil
}
