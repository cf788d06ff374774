// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/table"
)

// update rewrites golden files. A person reads every change to one.
var update = flag.Bool("update", false, "rewrite golden files")

// golden compares got with a golden file, or rewrites the file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to write it, and read what it wrote")
	require.Equal(t, string(want), got, "%s; run the test with -update, and read the difference", path)
}

// untouchable is a source that no test may reach: faults are found before any data is read.
type untouchable struct{}

func (untouchable) Name() string { panic("a source was asked for its name") }
func (untouchable) Size() int64  { panic("a source was asked for its size") }
func (untouchable) Schema(context.Context) (table.Schema, error) {
	panic("a source was asked for its schema")
}
func (untouchable) Open(context.Context, []string) ([]table.Reader, error) {
	panic("a source was opened")
}

// uncharged is a Charger that no test may reach.
type uncharged struct{}

func (uncharged) Charge(context.Context, aggregate.Charge) error { panic("a release was charged") }

// runUntouched runs a release on inputs that cannot be touched.
func runUntouched(ctx context.Context, p *aggregate.Policy, r *aggregate.Release) error {
	src := []table.Source{untouchable{}}
	_, err := (&aggregate.Runner{Charger: uncharged{}}).Run(ctx, p, r, aggregate.Inputs{Usage: src, Visitors: src})
	return err
}

// exported copies the exported fields of a value, so that it is as if it had been built in Go.
func exported[T any](from *T) *T {
	to := new(T)
	src, dst := reflect.ValueOf(from).Elem(), reflect.ValueOf(to).Elem()
	for i := range src.NumField() {
		if dst.Type().Field(i).IsExported() {
			dst.Field(i).Set(src.Field(i))
		}
	}
	return to
}

func lines(err error) string {
	var b strings.Builder
	for _, fault := range aggregate.Faults(err) {
		b.WriteString(fault.Error() + "\n")
	}
	return b.String()
}

// TestFaultsOfPoliciesAndReleasesReadAsTheGoldenTexts runs every case of testdata/faults: a policy, a
// release, and the faults that the two have. Where a file has faults of form, they are the faults;
// else those of the plan.
func TestFaultsOfPoliciesAndReleasesReadAsTheGoldenTexts(t *testing.T) {
	paths, err := filepath.Glob("testdata/faults/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			require.NoError(t, err)
			require.Len(t, archive.Files, 3)
			require.NotEmpty(t, archive.Comment, "say what the case is about")
			p, errP := aggregate.ParsePolicy(archive.Files[0].Name, archive.Files[0].Data)
			r, errR := aggregate.ParseRelease(archive.Files[1].Name, archive.Files[1].Data)
			err = errors.Join(errP, errR)
			if err == nil {
				_, err = aggregate.NewPlan(p, r)
				requireSameFaultsInGo(t, p, r, err)
				assert.Equal(t, err, runUntouched(t.Context(), p, r), "a run finds what a plan finds")
			} else {
				assert.False(t, errP != nil && p != nil || errR != nil && r != nil, "a file with faults gives no value")
			}
			requireFieldErrors(t, err)
			archive.Files[2].Data = []byte(lines(err))
			golden(t, path, string(txtar.Format(archive)))
		})
	}
}

func requireFieldErrors(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, aggregate.ErrSpec)
	for _, fault := range aggregate.Faults(err) {
		var fe *aggregate.FieldError
		require.ErrorAs(t, fault, &fe)
		assert.NotEmpty(t, fe.Path)
		assert.NotEmpty(t, fe.Got, fe.Path)
		assert.NotEmpty(t, fe.Want, fe.Path)
		assert.True(t, strings.HasPrefix(fe.Path, strings.TrimSuffix(fe.File, ".yaml")), "%s is a fault of %s", fe.Path, fe.File)
		assert.NotContains(t, fault.Error(), "\n")
		assert.Less(t, len(fault.Error()), 1000, "%s", fe.Path)
	}
}

// requireSameFaultsInGo holds Go values to the same texts as files, without the file and the line. Only
// the order may differ: without lines faults are ordered by path.
func requireSameFaultsInGo(t *testing.T, p *aggregate.Policy, r *aggregate.Release, want error) {
	t.Helper()
	_, err := aggregate.NewPlan(exported(p), exported(r))
	texts := func(err error) (all []string) {
		for _, fault := range aggregate.Faults(err) {
			var fe *aggregate.FieldError
			require.ErrorAs(t, fault, &fe)
			bare := *fe
			bare.File, bare.Line = "", 0
			all = append(all, bare.Error())
		}
		slices.Sort(all)
		return all
	}
	require.Equal(t, texts(want), texts(err))
	for _, fault := range aggregate.Faults(err) {
		assert.NotContains(t, fault.Error(), ".yaml")
	}
}
