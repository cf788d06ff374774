// SPDX-License-Identifier: Apache-2.0

package fileio_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/fileio"
	"github.com/throngdp/throng/aggregate/table"
)

// names lists the names of the first records of a source that has no header.
func names(t *testing.T, src table.Source, records int) (map[string]int, int) {
	t.Helper()
	lister, ok := src.(interface {
		Names(context.Context, int) (map[string]int, int, error)
	})
	require.True(t, ok, "%T lists no names", src)
	found, read, err := lister.Names(t.Context(), records)
	require.NoError(t, err)
	return found, read
}

func TestNamesOfTheFirstRecordsOfAllFiles(t *testing.T) {
	const first = "\ufeff" + `{"a":1,"b":{"c":"x","d":null,"e":[1,{"f":2}]},"g":{}}` + "\n" +
		"not JSON\n\n" + `{"a":2,"a":3}` + "\n" + `{"a":true} {}` + "\n" + `{"a":false}` + "\n"
	dir := folder(t, "1.ndjson", first)
	src, err := fileio.Open(t.Context(), []string{dir + "/1.ndjson"}, fileio.Options{})
	require.NoError(t, err)
	found, read := names(t, src, 10)
	assert.Equal(t, map[string]int{"a": 2, "b.c": 1}, found)
	assert.Equal(t, 2, read)

	other := folder(t, "2.ndjson", `{"a":1,"h":1}`+"\n"+`{"i":1}`+"\n")
	src, err = fileio.Open(t.Context(), []string{dir + "/1.ndjson", other + "/2.ndjson"}, fileio.Options{})
	require.NoError(t, err)
	found, read = names(t, src, 3)
	assert.Equal(t, map[string]int{"a": 3, "b.c": 1, "h": 1}, found, "the fourth record is not asked for")
	assert.Equal(t, 3, read)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = src.(interface {
		Names(context.Context, int) (map[string]int, int, error)
	}).Names(ctx, 3)
	assert.ErrorIs(t, err, context.Canceled)
}
