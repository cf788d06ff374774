// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ten is ten records of two columns.
const ten = "user_id,section\n" + "a,news\nb,news\nc,sport\nd,sport\ne,news\nf,news\ng,sport\nh,news\ni,sport\nj,news\n"

func garbage() string {
	var b strings.Builder
	for i := range 100_000 {
		b.WriteByte(byte(i * i >> 3))
	}
	return b.String()
}

func TestFaultsAreToldAtOnceAndNothingIsWritten(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"missing files", []string{"-usage", "absent.csv", "-visitors", "gone*.csv"}, exitUsage, []string{"absent.csv: does not exist", "gone*.csv: matches no file"}},
		{"empty", []string{write(t, "u.csv", "")}, exitUsage, []string{"u.csv: is empty; a CSV needs a header line"}},
		{"no records of JSON", []string{write(t, "u.ndjson", "")}, exitUsage, []string{"u.ndjson: got no column that looks like the id of a person; name it with -id COLUMN"}},
		{"no id", []string{write(t, "u.csv", "colour\nred\nblue\n")}, exitUsage, []string{"u.csv: got no column that looks like the id of a person"}},
		{"an id that is not there", []string{write(t, "u.csv", ten), "-id", "who"}, exitUsage, []string{"u.csv: got no column that looks like the id"}},
		{"headless", []string{write(t, "u.csv", "17,news@example.org\n18,x@example.org\n")}, exitUsage, []string{"u.csv: the first line looks like a record, want the names of the columns"}},
		{"garbage called CSV", []string{write(t, "u.csv", garbage())}, exitUsage, []string{"u.csv: "}},
		{"garbage called Parquet", []string{write(t, "u.parquet", garbage())}, exitFailed, []string{"u.parquet: not a Parquet file"}},
		{"garbage called gzip", []string{write(t, "u.csv.gz", "\x1f\x8b\x08"+garbage())}, exitFailed, []string{"u.csv.gz: is damaged or cut short"}},
		{"UTF-16", []string{write(t, "u.csv", "\xff\xfeu\x00")}, exitFailed, []string{"u.csv: is in UTF-16"}},
		{"a folder", []string{t.TempDir()}, exitFailed, []string{"is not a regular file"}},
		{"two formats", []string{write(t, "u.csv", ten), write(t, "u.ndjson", "{}\n")}, exitUsage, []string{"keep to one format"}},
		{"rows", []string{"-rows", "0", write(t, "u.csv", ten)}, exitUsage, []string{"-rows: got 0, want 1 to 10000000"}},
		{"empty out", []string{"-out", "", "-rows", "-1", write(t, "u.csv", ten)}, exitUsage, []string{"-out: got an empty text", "-rows: got -1"}},
		{"an unknown flag", []string{"-delete"}, exitUsage, []string{"flag provided but not defined: -delete; see -h"}},
		{"no demo here", nil, exitUsage, []string{"the demo: got a folder without testdata/usage.ndjson"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "draft")
			args := tt.args
			if tt.name != "empty out" && tt.name != "no demo here" {
				args = append([]string{"-out", dir}, args...)
			}
			got := look(t, args...)
			assert.Equal(t, tt.code, got.code, got.stderr)
			assert.Empty(t, got.stdout)
			for _, want := range tt.want {
				assert.Contains(t, got.stderr, want)
			}
			for line := range strings.Lines(got.stderr) {
				assert.Regexp(t, `^inspect: .+\n$`, line)
			}
			assert.NoDirExists(t, dir)
		})
	}
}

func TestOddFilesAreLookedAt(t *testing.T) {
	var wide strings.Builder
	wide.WriteString("user_id")
	for i := range 4999 {
		fmt.Fprintf(&wide, ",column_%d", i)
	}
	for i := range 30 {
		fmt.Fprintf(&wide, "\nu%d", i)
		wide.WriteString(strings.Repeat(",x", 4999))
	}
	for _, tt := range []struct{ name, content, want string }{
		{"header alone", "user_id,gender\n", "id of the person (opaque)"},
		{"one column", "user_id\na\nb\n", "id of the person (opaque)"},
		{"5,000 columns", wide.String() + "\n", "… and more; -json lists them all"},
		{"more than is looked at", strings.ReplaceAll(wide.String(), "user_id", "user_id,more,still_more,most") + "\n", "(left out, unread: "},
		{"a name twice", strings.ReplaceAll(ten, "section\n", "section,section\n"), "cannot be read"},
		{"no name", strings.ReplaceAll(ten, "section\n", "section,\n"), "id of the person"},
		{"names of YAML", "user_id,null,\"a: b\",#x,Año de alta,1st,statistic,events,-,true\n1,2,3,4,5,6,7,8,9,0\n", "id of the person (int)"},
		{"names that meet", "user_id,a b,a-b,a.b,A_B\n" + strings.Repeat("u,x,y,z,w\n", 20), "dimension of the event"},
		{"nothing but nothing", "user_id,gender\n" + strings.Repeat("a,\n", 2000) + strings.Repeat("b,-\n", 20), ""},
		{"bytes that are no text", ten + strings.Repeat("\xff\x00\xfe,\xc3\x28\n", 50), "id of the person"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "draft")
			got := look(t, write(t, "u.csv", tt.content), "-id", "user_id", "-out", dir)
			require.Equal(t, exitDone, got.code, got.stderr)
			assert.Contains(t, got.stdout, tt.want)
			assert.Contains(t, got.stdout, "-policy "+filepath.Join(dir, "policy.yaml"))
			assert.Less(t, len(read(t, filepath.Join(dir, "policy.yaml"))), 64<<10)
		})
	}
}

func TestNothingIsReplaced(t *testing.T) {
	usage := write(t, "u.csv", ten)
	for _, name := range []string{"policy.yaml", "release.yaml"} {
		dir := t.TempDir()
		mine := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(mine, []byte("mine"), 0o600))
		got := look(t, usage, "-usage", "absent.csv", "-out", dir)
		assert.Equal(t, exitUsage, got.code)
		assert.Equal(t, "inspect: -out: got a folder that has a "+name+", want one without; name another\n", got.stderr)
		assert.Equal(t, "mine", read(t, mine))
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Len(t, entries, 1)
	}
	got := look(t, usage, "-out", filepath.Join(usage, "draft"))
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "inspect: -out: ")
}

func TestACancelledRunWritesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := filepath.Join(t.TempDir(), "draft")
	var stdout, stderr strings.Builder
	assert.Equal(t, exitFailed, run(ctx, []string{write(t, "u.csv", ten), "-out", dir}, &stdout, &stderr))
	assert.Equal(t, "inspect: interrupted; nothing was written\n", stderr.String())
	assert.Empty(t, stdout.String())
	assert.NoDirExists(t, dir)
}

// The codes of run reach the shell, and each stream gets what is its own.
func TestTheProcessEndsWithTheExitCode(t *testing.T) {
	usage := write(t, "u.csv", ten)
	for _, tt := range []struct {
		name, stdout, stderr string
		args                 []string
		code                 int
	}{
		{"done", "Nothing was written", "", []string{usage}, exitDone},
		{"as JSON", `"suggested": "dimension of the event"`, "", []string{usage, "-json"}, exitDone},
		{"quiet", "", "", []string{usage, "-quiet"}, exitDone},
		{"help", "Flags:\n", "", []string{"-h"}, exitDone},
		{"failed", "", "u.gz: is damaged", []string{write(t, "u.gz", "\x1f\x8b\x08broken")}, exitFailed},
		{"usage", "", "absent.csv: does not exist", []string{"absent.csv"}, exitUsage},
		{"usage as JSON", `"exit_code": 2`, "", []string{"absent.csv", "-json"}, exitUsage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			c := command(t, tt.args...)
			c.Stdout, c.Stderr = &stdout, &stderr
			err := c.Run()
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
				require.NoError(t, err)
			}
			assert.Equal(t, tt.code, c.ProcessState.ExitCode())
			for text, want := range map[string]string{stdout.String(): tt.stdout, stderr.String(): tt.stderr} {
				assert.Contains(t, text, want)
				assert.Equal(t, want == "", text == "")
			}
		})
	}
}

// The words are coarse: one record more or less seldom changes one.
func TestTheSampleIsBoundedAndSaidSo(t *testing.T) {
	content := ten + strings.Repeat("k,\"a text that is longer than any label could be, so that it is read as prose\"\n", 500)
	got := look(t, write(t, "u.csv", content), "-rows", "10")
	require.Equal(t, exitDone, got.code, got.stderr)
	assert.Contains(t, got.stdout, "usage: the first 10 records at most")
	assert.Contains(t, line(t, got.stdout, "section"), "category dimension of the event")
	got = look(t, write(t, "u.csv", content))
	assert.Contains(t, got.stdout, "usage: the first 100,000 records at most")
	assert.Contains(t, line(t, got.stdout, "section"), "free text leave out")
}
