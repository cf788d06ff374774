// SPDX-License-Identifier: Apache-2.0

package benchmarks_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
)

// minMemory is the least memory limit.
const minMemory = 64 << 20

// many is a release of too many people for the least memory limit.
func many(t *testing.T) *job {
	c := usual()
	c.Rows, c.People = 600_000, 400_000
	return newJob(t, c, "opaque", "", "gender_country")
}

func TestAttackO09SpilledPeopleLeaveNothingBehind(t *testing.T) {
	j, dir := many(t), t.TempDir()
	r, err := (&aggregate.Runner{MemoryLimit: minMemory, TempDir: dir}).Run(t.Context(), j.policy, j.release, j.input)
	require.NoError(t, err)
	require.NotEmpty(t, r.Tables[0].Rows)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// Where the folder is missing the run fails before anything is charged; it also shows that the test above
// does spill.
func TestAttackL07SpillFolderThatIsMissing(t *testing.T) {
	j, dir := many(t), filepath.Join(t.TempDir(), "missing")
	charger := &aggregate.MemoryCharger{}
	runner := aggregate.Runner{MemoryLimit: minMemory, TempDir: dir, Charger: charger}
	_, err := runner.Run(t.Context(), j.policy, j.release, j.input)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, dir)
	_, err = (&aggregate.Runner{Charger: charger}).Run(t.Context(), j.policy, j.release, j.input)
	require.NoError(t, err)
}

func TestMemoryLimitThatCannotBeKeptIsRefused(t *testing.T) {
	j := many(t)
	for _, limit := range []int64{-1, 1, minMemory - 1} {
		_, err := (&aggregate.Runner{MemoryLimit: limit}).Run(t.Context(), j.policy, j.release, j.input)
		require.ErrorContains(t, err, "MemoryLimit: got")
	}
}

func TestCancelledRunReturnsNothing(t *testing.T) {
	j := many(t)
	ctx, cancel := context.WithCancel(t.Context())
	var seen aggregate.Progress
	runner := aggregate.Runner{Progress: func(p aggregate.Progress) {
		if seen = p; p.Records > 100_000 {
			cancel()
		}
	}}
	r, err := runner.Run(ctx, j.policy, j.release, j.input)
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, r)
	require.Less(t, seen.Records, j.rows)
}
