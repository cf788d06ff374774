// SPDX-License-Identifier: Apache-2.0

package unpack_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/internal/unpack"
	"github.com/throngdp/throng/aggregate/table"
)

const content = "visitor,page\n1,2\n"

func gz(t testing.TB, in []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(in)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func zst(t testing.TB, in []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	defer w.Close()
	return w.EncodeAll(in, nil)
}

// part is an entry to put into a zip; fake changes what the zip says about it.
type part struct {
	name   string
	data   []byte
	method uint16
	fake   func(*zip.FileHeader)
}

func zipped(t testing.TB, parts ...part) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(93, zstd.ZipCompressor())
	for _, p := range parts {
		f, err := w.CreateHeader(&zip.FileHeader{Name: p.name, Method: p.method})
		require.NoError(t, err)
		_, err = f.Write(p.data)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return forge(t, b.Bytes(), parts)
}

// forge writes the zip again with the headers that parts ask for, around the same bytes.
func forge(t testing.TB, in []byte, parts []part) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(in), int64(len(in)))
	require.NoError(t, err)
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, f := range r.File {
		raw, err := f.OpenRaw()
		require.NoError(t, err)
		header := f.FileHeader
		if parts[i].fake != nil {
			parts[i].fake(&header)
		}
		out, err := w.CreateRaw(&header)
		require.NoError(t, err)
		_, err = io.Copy(out, raw)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func save(t testing.TB, in []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.csv") // a name that says nothing about the content
	require.NoError(t, os.WriteFile(path, in, 0o600))
	return path
}

// readAll returns what each member holds, by the part of its name behind the path.
func readAll(t testing.TB, path string) map[string]string {
	t.Helper()
	members, err := unpack.Open(t.Context(), path, unpack.Limits{})
	require.NoError(t, err)
	got := map[string]string{}
	for _, m := range members {
		s, err := m.Open(t.Context())
		require.NoError(t, err)
		b, err := io.ReadAll(s)
		require.NoError(t, err)
		assert.Equal(t, m.Size, s.Consumed())
		require.NoError(t, s.Close())
		got[strings.TrimPrefix(m.Name, path)] = string(b)
	}
	return got
}

func TestContentDecidesHowAFileIsRead(t *testing.T) {
	in := []byte(content)
	skippable := append([]byte{0x52, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 'x', 'y'}, zst(t, in)...)
	for _, tt := range []struct {
		name string
		file []byte
		want map[string]string
	}{
		{"plain", in, map[string]string{"": content}},
		{"empty", nil, map[string]string{"": ""}},
		{"one byte", []byte("x"), map[string]string{"": "x"}},
		{"gzip", gz(t, in), map[string]string{"": content}},
		{"gzip of nothing", gz(t, nil), map[string]string{"": ""}},
		{"gzip of two members", append(gz(t, in), gz(t, in)...), map[string]string{"": content + content}},
		{"zstd", zst(t, in), map[string]string{"": content}},
		{"zstd of two frames", append(zst(t, in), zst(t, in)...), map[string]string{"": content + content}},
		{"zstd behind a skippable frame", skippable, map[string]string{"": content}},
		{"gzip in gzip", gz(t, gz(t, in)), map[string]string{"": content}},
		{"gzip in zstd", zst(t, gz(t, in)), map[string]string{"": content}},
		{"zip", zipped(t, part{name: "a.txt", data: in, method: zip.Deflate}, part{name: "d/b", data: in}, part{name: "c", data: in, method: 93}),
			map[string]string{"/a.txt": content, "/d/b": content, "/c": content}},
		{"gzip in zip", zipped(t, part{name: "a.gz", data: gz(t, in)}, part{name: "b", data: gz(t, in), method: zip.Deflate}),
			map[string]string{"/a.gz": content, "/b": content}},
		{"zip with what is no data", zipped(t, part{name: "d/"}, part{name: "__MACOSX/d/._a", data: in}, part{name: "d/.DS_Store", data: in}, part{name: "d/a", data: in}),
			map[string]string{"/d/a": content}},
		{"zip with names not fit for print", zipped(t, part{name: "../../etc/passwd", data: in}, part{name: "/b", data: in}, part{name: `C:\c`, data: in},
			part{name: "d\x1b[2J", data: in}, part{name: "e\u202egpj", data: in}, part{name: "f\xff", data: in}, part{name: strings.Repeat("g", 300), data: in}, part{name: "h", data: in}),
			map[string]string{"/#1": content, "/#2": content, "/#3": content, "/#4": content, "/#5": content, "/#6": content, "/#7": content, "/h": content}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, readAll(t, save(t, tt.file)))
		})
	}
}

func TestMembersCanBeReadAtRandom(t *testing.T) {
	long := strings.Repeat("0123456789", 250_000)
	for name, file := range map[string][]byte{"plain": []byte(long), "gzip": gz(t, []byte(long)), "zip": zipped(t, part{name: "a", data: []byte(long), method: zip.Deflate})} {
		members, err := unpack.Open(t.Context(), save(t, file), unpack.Limits{})
		require.NoError(t, err)
		require.Len(t, members, 1)
		assert.Equal(t, name == "plain", members[0].Plain())
		s, err := members[0].OpenAt(t.Context(), int64(len(long)))
		require.NoError(t, err)
		assert.EqualValues(t, len(long), s.Size())
		assert.Equal(t, name == "plain", s.File() != nil)
		b := make([]byte, 1_500_000) // across a boundary of chunks
		n, err := s.ReadAt(b, 999_995)
		require.NoError(t, err, name)
		assert.True(t, string(b[:n]) == long[999_995:2_499_995], name)
		n, err = s.ReadAt(b, int64(len(long)-3))
		assert.Equal(t, io.EOF, err)
		assert.Equal(t, "789", string(b[:n]))
		_, err = s.ReadAt(b, -1)
		assert.Error(t, err)
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())

		_, err = members[0].OpenAt(t.Context(), int64(len(long)-1))
		if name == "plain" {
			assert.NoError(t, err, "what is read from disk takes no memory")
			continue
		}
		assert.EqualError(t, err, members[0].Name+": is compressed and too large to be held in memory; unpack it to disk first")
		assert.ErrorIs(t, err, table.ErrLimit)
	}
}

func TestFilesThatCannotBeUsedAreRefused(t *testing.T) {
	in := []byte(content)
	cut := gz(t, bytes.Repeat(in, 100))
	wrong := gz(t, in)
	wrong[len(wrong)-6] ^= 1 // its checksum
	encrypted := func(h *zip.FileHeader) { h.Flags |= 1 }
	for _, tt := range []struct {
		name, want string
		file       []byte
		sentinel   error
	}{
		{"gzip cut short", ": is damaged or cut short; copy or pack it again", cut[:len(cut)-9], table.ErrMalformed},
		{"gzip with a wrong checksum", ": is damaged or cut short; copy or pack it again", wrong, table.ErrMalformed},
		{"gzip header cut short", ": is damaged or cut short; copy or pack it again", cut[:5], table.ErrMalformed},
		{"zstd cut short", ": is damaged or cut short; copy or pack it again", zst(t, in)[:12], table.ErrMalformed},
		{"zip without a file", ": is a zip that holds no file; check that it is the right one", zipped(t), table.ErrMalformed},
		{"zip cut short", ": is damaged or cut short; copy or pack it again", zipped(t, part{name: "a", data: in})[:60], table.ErrMalformed},
		{"encrypted", "/a: is encrypted; decrypt it first", zipped(t, part{name: "a", data: in, fake: encrypted}), table.ErrMalformed},
		{"unknown method", "/a: is compressed by a method that is not known; pack it with deflate",
			zipped(t, part{name: "a", data: in, fake: func(h *zip.FileHeader) { h.Method = 12 }}), table.ErrMalformed},
		{"zip in zip", "/b: is a zip inside another archive; unpack the outer one first",
			zipped(t, part{name: "b", data: zipped(t, part{name: "a", data: in})}), table.ErrLimit},
		{"zip in gzip", ": is a zip inside another archive; unpack the outer one first", gz(t, zipped(t, part{name: "a", data: in})), table.ErrLimit},
		{"gzip in gzip in zip", "/a: is compressed more than twice over; unpack it first",
			zipped(t, part{name: "a", data: gz(t, gz(t, in))}), table.ErrLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := save(t, tt.file)
			err := drain(t.Context(), path, unpack.Limits{})
			require.EqualError(t, err, path+tt.want)
			assert.ErrorIs(t, err, tt.sentinel)
		})
	}
}

// drain reads every member of the file at path to its end and throws the content away.
func drain(ctx context.Context, path string, lim unpack.Limits) error {
	members, err := unpack.Open(ctx, path, lim)
	if err != nil {
		return err
	}
	for _, m := range members {
		if err := drainOne(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func drainOne(ctx context.Context, m unpack.Member) error {
	s, err := m.Open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{s}, make([]byte, 64<<10))
	return err
}

func TestLimitsCanBeSet(t *testing.T) {
	path := save(t, gz(t, bytes.Repeat([]byte(content), 100)))
	assert.NoError(t, drain(t.Context(), path, unpack.Limits{MaxOutput: 1700}))
	assert.ErrorIs(t, drain(t.Context(), path, unpack.Limits{MaxOutput: 1699}), table.ErrLimit)
	assert.NoError(t, drain(t.Context(), path, unpack.Limits{MaxRatio: 1}), "below 512 MiB any ratio will do")
	plain := save(t, []byte(content))
	assert.NoError(t, drain(t.Context(), plain, unpack.Limits{MaxOutput: 1}), "what is not compressed has no limit")
}

func TestContextStopsReading(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	path := save(t, gz(t, []byte(content)))
	members, err := unpack.Open(ctx, path, unpack.Limits{})
	require.NoError(t, err)
	s, err := members[0].Open(ctx)
	require.NoError(t, err)
	cancel()
	_, err = s.Read(make([]byte, 1))
	assert.Equal(t, context.Canceled, err)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err = s.Read(make([]byte, 1))
	assert.Error(t, err)
	_, err = members[0].Open(ctx)
	assert.Equal(t, context.Canceled, err)
	_, err = unpack.Open(ctx, path, unpack.Limits{})
	assert.Equal(t, context.Canceled, err)
}

func TestErrorsOfTheOperatingSystemCanBeTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing")
	_, err := unpack.Open(t.Context(), path, unpack.Limits{})
	assert.EqualError(t, err, path+": does not exist; check the path")
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestRealZipIsRead(t *testing.T) {
	path := "../../../../shared/data/oulad/studentVle.zip"
	if _, err := os.Stat(path); err != nil {
		t.Skip("the data set is not here")
	}
	for name, text := range readAll(t, path) {
		assert.Equal(t, "/studentVle.txt", name)
		assert.Equal(t, 1_048_576, strings.Count(text, "\n"))
	}
}
