// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/arrowio"
	"github.com/throngdp/throng/aggregate/csvio"
	"github.com/throngdp/throng/aggregate/logio"
	"github.com/throngdp/throng/aggregate/ndjsonio"
	"github.com/throngdp/throng/aggregate/parquetio"
	"github.com/throngdp/throng/aggregate/structio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// canary is a word that stands in the input and must not leave.
const canary = "Kq7Xw2Zr9Bn4Tj6v"

// requireNoCanary searches a text for the canary in every form in which it could hide.
func requireNoCanary(t *testing.T, where, text string) {
	t.Helper()
	text = strings.ToLower(text)
	for name, form := range canaryForms() {
		require.NotContains(t, text, strings.ToLower(form), "%s holds the canary (%s)", where, name)
	}
}

func canaryForms() map[string]string {
	b := []byte(canary)
	reversed := slices.Clone(b)
	slices.Reverse(reversed)
	forms := map[string]string{"as it is": canary, "reversed": string(reversed), "hex": hex.EncodeToString(b)}
	for shift := range 3 {
		// The middle of the encoding does not depend on what stands beside it.
		encoded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), b...))
		forms[fmt.Sprint("base64 ", shift)] = encoded[4 : len(encoded)-4]
	}
	var little, big []byte
	for _, u := range utf16.Encode([]rune(canary)) {
		little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
	}
	forms["UTF-16LE"], forms["UTF-16BE"] = string(little), string(big)
	for name, sum := range map[string][]byte{"MD5": hash(md5.Sum(b)), "SHA-1": hash20(sha1.Sum(b)), "SHA-256": hash32(sha256.Sum256(b))} {
		forms[name], forms[name+" bytes"] = hex.EncodeToString(sum), string(sum)
		forms[name+" base64"] = base64.StdEncoding.EncodeToString(sum)
	}
	return forms
}

func hash(b [16]byte) []byte   { return b[:] }
func hash20(b [20]byte) []byte { return b[:] }
func hash32(b [32]byte) []byte { return b[:] }

// printed returns what f writes to the standard streams.
func printed(t *testing.T, f func()) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "printed")
	file, err := os.Create(path)
	require.NoError(t, err)
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = file, file
	defer func() { os.Stdout, os.Stderr = stdout, stderr }()
	f()
	require.NoError(t, file.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}

// canaries is one person for each column, whose record has the canary there, and one with nothing else.
func canaries() world {
	text := []byte(canary)
	full := use{ID: []byte("x"), Course: []byte("algebra"), Activity: []byte("quiz"), Device: []byte("phone"), Seconds: []byte("1"), Score: ptr(1.0), Points: ptr(int64(1))}
	var w world
	for i, edit := range []func(*use){
		func(u *use) { u.ID = text }, func(u *use) { u.Course = text }, func(u *use) { u.Activity = text },
		func(u *use) { u.Channel = text }, func(u *use) { u.Device = text }, func(u *use) { u.At = text },
		func(u *use) { u.Seconds = text }, func(u *use) { u.Secret = text },
		func(u *use) {
			*u = use{ID: text, Course: text, Activity: text, Channel: text, Device: text, At: text, Seconds: text, Secret: text}
		},
	} {
		u := full
		u.ID = fmt.Appendf(nil, "canary-%d", i)
		edit(&u)
		w.uses = append(w.uses, u)
		v := visit{ID: u.ID, Gender: []byte("F"), Born: []byte("1990"), Region: []byte("north"), Share: []byte("yes"), Parent: []byte("no")}
		for _, cell := range []*[]byte{&v.Gender, &v.Born, &v.Region, &v.Share, &v.Parent} {
			o := v
			*cell = text
			w.visits = append(w.visits, v)
			v = o
		}
	}
	return w
}

// TestAttackI10NoValueIsEverEchoed puts the canary in every column of every connector and looks for it
// in all that a run leaves: result, plan, files, standard streams, and an error where there is one.
func TestAttackI10NoValueIsEverEchoed(t *testing.T) {
	j := newJob(t, attackTables["courses"]+attackTables["people"]+attackTables["activities"], "EXCLUDE", attackRules,
		"PERIOD", "{from: 2026-03-01, to: 2026-04-01}")
	w := tidy(crowd(10, 100).with(canaries()))
	for name, inputs := range connectors {
		t.Run(name, func(t *testing.T) {
			said := printed(t, func() {
				res, err := aggregate.Run(under(t, mechanismtest.New(mechanismtest.PlusHuge)), j.policy, j.release, inputs(t, w, 50))
				require.NoError(t, err)
				requireNoCanary(t, "result", text(t, res)+fmt.Sprintf("%+v %#v", res, res))
				for file, content := range files(t, res) {
					requireNoCanary(t, file, content)
				}
			})
			requireNoCanary(t, "standard streams", said)
		})
	}
}

// failing is text that cannot be marshalled, for a reason that quotes it.
type failing string

func (f failing) MarshalText() ([]byte, error) { return nil, errors.New(string(f)) }

// TestAttackI10FaultyFilesAreNotQuoted damages files around the canary and searches the errors.
func TestAttackI10FaultyFilesAreNotQuoted(t *testing.T) {
	w := tidy(crowd(10, 20).with(canaries()))
	g := gridOf(w.uses)
	type record struct {
		ID      failing `throng:"id"`
		Gender  failing `throng:"gender"`
		Seconds failing `throng:"seconds"`
	}
	structs, err := structio.Slice("rows", []record{{canary, canary, canary}})
	require.NoError(t, err)
	sources := map[string]func() (table.Source, error){
		"structs": func() (table.Source, error) { return structs, nil },
		"header": func() (table.Source, error) {
			return csvio.New("a.csv", reopen([]byte("id,"+canary+","+canary+"\n1,2,3\n")), csvio.Options{})
		},
		"no header": func() (table.Source, error) {
			return csvio.New("a.csv", reopen([]byte(canary+"\n"+canary+"\n")), csvio.Options{})
		},
		"binary": func() (table.Source, error) {
			return csvio.New("a.csv", reopen([]byte("\x00\x01"+canary+"\n")), csvio.Options{})
		},
		"no json": func() (table.Source, error) {
			return ndjsonio.New("a.json", reopen([]byte(canary+"\n")), ndjsonio.Options{})
		},
		"array": func() (table.Source, error) {
			return ndjsonio.New("a.json", reopen([]byte(`["`+canary+`"]`)), ndjsonio.Options{})
		},
		"own line": func() (table.Source, error) {
			return ndjsonio.New("a.json", reopen([]byte("{\n\""+canary+"\":1}")), ndjsonio.Options{})
		},
	}
	for i, log := range []string{
		canary + "\n", "#Fields: " + canary + "\n", "#Fields: id\n" + canary + "\n#Fields: " + canary + "\n", "#Fields: id " + canary + " id\n",
	} {
		sources[fmt.Sprint("w3c ", i)] = func() (table.Source, error) {
			return logio.New("a.log", reopen([]byte(log)), logio.Options{Format: logio.W3C})
		}
	}
	sources["combined"] = func() (table.Source, error) { return logio.New("a.log", reopen([]byte(canary)), logio.Options{}) }
	parquetBytes := parquetFile(t, g, 100)
	schema, records := arrowRecords(g, 10)
	var stream bytes.Buffer
	writer := ipc.NewWriter(&stream, ipc.WithSchema(schema))
	for _, r := range records {
		require.NoError(t, writer.Write(r))
	}
	require.NoError(t, writer.Close())
	for i := range 40 {
		cut := func(b []byte) []byte { return b[:len(b)*i/40] }
		flipped := func(b []byte) []byte {
			b = slices.Clone(b)
			for at := i; at < len(b); at += 97 {
				b[at] ^= 0x55
			}
			return b
		}
		for name, damage := range map[string]func([]byte) []byte{"cut": cut, "flipped": flipped} {
			p, a := damage(parquetBytes), damage(stream.Bytes())
			sources[fmt.Sprint("parquet ", name, i)] = func() (table.Source, error) {
				return parquetio.New("a.parquet", bytes.NewReader(p), int64(len(p)), parquetio.Options{})
			}
			sources[fmt.Sprint("arrow ", name, i)] = func() (table.Source, error) { return arrowio.NewStream("a.arrows", reopen(a)), nil }
		}
	}
	sources["arrow sequence"] = func() (table.Source, error) {
		return arrowio.NewRecords("rows", schema, func() iter.Seq2[arrow.Record, error] {
			return func(yield func(arrow.Record, error) bool) { yield(nil, errors.New(canary)) }
		})
	}
	j := newJob(t, sums)
	faults := 0
	said := printed(t, func() {
		for name, source := range sources {
			src, err := source()
			if err == nil {
				in := w.inputs(t)
				in.Usage = []table.Source{src}
				_, err = aggregate.Run(under(t, mechanismtest.New(mechanismtest.Zero)), j.policy, j.release, in)
			}
			if err != nil {
				faults++
				requireNoCanary(t, "error of "+name, fmt.Sprintf("%v %+v %#v %q", err, err, err, err))
			}
		}
	})
	requireNoCanary(t, "standard streams", said)
	assert.Greater(t, faults, 40)
}

// TestAttackD09OnlyWhatWasAskedForIsPublished checks the columns and labels of a table.
func TestAttackD09OnlyWhatWasAskedForIsPublished(t *testing.T) {
	j := newJob(t, attackTables["courses"], "SPEND", generous)
	res := j.run(t, mechanismtest.New(mechanismtest.Live), crowd(9, 300))
	fixed := "statistic,unit,value,display,ci_low,ci_high,obs_status"
	out := files(t, res)
	assert.Equal(t, "course,"+fixed, firstLine(out["data/course.csv"]))
	assert.Equal(t, "course,gender,"+fixed, firstLine(out["data/course_gender.csv"]))
	assert.ElementsMatch(t, []string{"README.md", "SHA256SUMS", "data/course.csv", "data/course.parquet", "data/course_gender.csv", "data/course_gender.parquet", "release.json"}, slices.Collect(keys(out)))
	for _, content := range out {
		assert.NotContains(t, content, "person-")
	}
	require.NotEmpty(t, res.Tables[0].Rows)
	for _, row := range res.Tables[0].Rows {
		assert.Contains(t, append(courses, ""), row.Group[0])
	}
}

func firstLine(text string) string { return text[:strings.IndexByte(text, '\n')] }

func keys[V any](m map[string]V) iter.Seq[string] {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// TestAttackO01SuppressedLabelsAreInNoFile looks for the label of a suppressed private group in every
// byte of a bundle and in every page and dictionary of its Parquet files (O-01, O-02); that a group is
// suppressed changes no byte either (O-03, O-04).
func TestAttackO01SuppressedLabelsAreInNoFile(t *testing.T) {
	j := newJob(t, attackTables["courses"]+attackTables["crossed"], "SPEND", generous)
	w := crowd(1, 400)
	lonely := w
	for i := range 4 { // k is 5
		id := fmt.Appendf(nil, "lonely-%d", i)
		lonely = lonely.with(world{
			uses:   []use{{ID: id, Course: []byte(canary), Activity: []byte("quiz"), Seconds: []byte("3600"), Points: ptr(int64(100))}},
			visits: []visit{{ID: id, Gender: []byte("F"), Region: []byte(canary)}},
		})
	}
	want, calls := j.recordedFiles(t, w)
	got, _ := j.replayedFiles(t, calls, lonely)
	assert.Contains(t, want["data/course.csv"], "algebra")
	for name, content := range got {
		requireNoCanary(t, name, content)
		if strings.HasSuffix(name, ".parquet") {
			requireNoCanary(t, name+", decoded", decoded(t, content))
		}
	}
	assert.Equal(t, want, got)
}

// decoded returns every value of every page and dictionary, and all metadata, of a Parquet file.
func decoded(t *testing.T, content string) string {
	t.Helper()
	f, err := parquet.OpenFile(strings.NewReader(content), int64(len(content)))
	require.NoError(t, err)
	var b strings.Builder
	fmt.Fprintf(&b, "%+v\n", f.Metadata())
	for _, group := range f.RowGroups() {
		for _, chunk := range group.ColumnChunks() {
			pages := chunk.Pages()
			for {
				page, err := pages.ReadPage()
				if err == io.EOF {
					break
				}
				require.NoError(t, err)
				assert.Nil(t, page.Dictionary(), "a dictionary page may hold what no row has")
				values := make([]parquet.Value, page.NumValues())
				_, err = page.Values().ReadValues(values)
				require.True(t, err == nil || err == io.EOF)
				for _, v := range values {
					fmt.Fprintln(&b, v)
				}
			}
			require.NoError(t, pages.Close())
		}
	}
	return b.String()
}
