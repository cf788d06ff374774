// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hit is a record of the formats that name their columns. All are texts, so that each can hold anything.
type hit struct {
	ID       string   `json:"id" parquet:"id"`
	Page     string   `json:"page" parquet:"page"`
	Referrer string   `json:"referrer" parquet:"referrer"`
	At       string   `json:"at" parquet:"at"`
	Seconds  string   `json:"seconds" parquet:"seconds"`
	OK       string   `json:"ok" parquet:"ok"`
	Agent    string   `json:"agent" parquet:"agent"`
	Email    string   `json:"email" parquet:"email"`
	Tags     []string `json:"tags" parquet:"tags,list"`
	Params   []kv     `json:"params" parquet:"params,list"`
}

type kv struct {
	Key   string `json:"key" parquet:"key"`
	Value string `json:"value" parquet:"value"`
}

// planted are many people of whom nothing is secret, and one for each place where a token can stand.
func planted(token string) []hit {
	var all []hit
	for i := range 600 {
		all = append(all, hit{
			ID: fmt.Sprint("p", i/2), Page: []string{"/home", "/shop"}[i%2], Referrer: "https://www.example.org/", At: "2026-03-17T10:00:00Z",
			Seconds: "5", OK: "yes", Agent: "Mozilla/5.0", Tags: []string{"rock", "jazz"}, Params: []kv{{"session", token}, {"page", "/home"}},
		})
	}
	url := "https://u:" + token + "@" + token + ".example.org/" + token + "?email=" + token + "%40b.c#" + token
	for i, edit := range []func(*hit){
		func(h *hit) { h.ID = token }, func(h *hit) { h.Page = token }, func(h *hit) { h.Referrer = url }, func(h *hit) { h.Referrer = "https://" + token + ".com/" },
		func(h *hit) { h.At = token }, func(h *hit) { h.Seconds = token }, func(h *hit) { h.OK = token }, func(h *hit) { h.Agent = token },
		func(h *hit) { h.Email = token + "@example.org" }, func(h *hit) { h.Tags = []string{token, "rock"} },
		func(h *hit) { h.Params = []kv{{"page", token}, {token, "x"}} },
	} {
		h := all[0]
		h.ID = fmt.Sprint("token", i)
		edit(&h)
		all = append(all, h)
	}
	return all
}

// format is how records become a file, and what the policy calls its columns.
type format struct {
	file    string
	kind    string // as inputs.usage.format calls it
	write   func(t *testing.T, hits []hit) []byte
	columns [6]string // id, page, referrer, time, its form, value
	more    string    // of the policy, after its columns
}

const (
	splitTags  = `  tag: {from: usage, of: event, role: dimension, column: tags, split: "|", groups: private}` + "\n"
	listedTags = `  tag: {from: usage, of: event, role: dimension, column: "tags[]", groups: private}` + "\n" +
		`  place: {from: usage, of: event, role: dimension, column: "params[page]", groups: private}` + "\n"
)

var named = [6]string{"id", "page", "referrer", "at", "rfc3339", "seconds"}

func formats() []format {
	separated := func(comma rune) func(t *testing.T, hits []hit) []byte {
		return func(t *testing.T, hits []hit) []byte {
			var b bytes.Buffer
			w := csv.NewWriter(&b)
			w.Comma = comma
			require.NoError(t, w.Write([]string{"id", "page", "referrer", "at", "seconds", "ok", "agent", "email", "tags"}))
			for _, h := range hits {
				require.NoError(t, w.Write([]string{h.ID, h.Page, h.Referrer, h.At, h.Seconds, h.OK, h.Agent, h.Email, strings.Join(h.Tags, "|")}))
			}
			w.Flush()
			return b.Bytes()
		}
	}
	lines := func(t *testing.T, hits []hit) []byte {
		var b bytes.Buffer
		for _, h := range hits {
			require.NoError(t, json.NewEncoder(&b).Encode(h))
		}
		return b.Bytes()
	}
	return []format{
		{"rows.csv", "csv", separated(','), named, splitTags},
		{"rows.tsv", "tsv", separated('\t'), named, splitTags},
		{"rows.csv.gz", "csv", compressed(separated(','), func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }), named, splitTags},
		{"rows.zip", "csv", zipped(separated(',')), named, splitTags},
		{"rows.ndjson", "ndjson", lines, named, listedTags},
		{"rows.ndjson.zst", "ndjson", compressed(lines, func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z }), named, listedTags},
		{"rows.parquet", "parquet", parquetOf, named, listedTags},
		{"rows.arrow", "arrow", arrowOf, named, listedTags},
		{"access.log", "combined", combinedOf, [6]string{"host", "path", "referer", "time", "clf", "bytes"}, ""},
		{"u_ex.log", "w3c", w3cOf, [6]string{"c-ip", "cs-uri-stem", "cs(Referer)", "date_time", "rfc3339", "time-taken"}, ""},
	}
}

func compressed(write func(*testing.T, []hit) []byte, to func(io.Writer) io.WriteCloser) func(*testing.T, []hit) []byte {
	return func(t *testing.T, hits []hit) []byte {
		var b bytes.Buffer
		w := to(&b)
		_, err := w.Write(write(t, hits))
		require.NoError(t, errors.Join(err, w.Close()))
		return b.Bytes()
	}
}

func zipped(write func(*testing.T, []hit) []byte) func(*testing.T, []hit) []byte {
	return func(t *testing.T, hits []hit) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.Create("rows.csv")
		require.NoError(t, err)
		_, err = w.Write(write(t, hits))
		require.NoError(t, errors.Join(err, z.Close()))
		return b.Bytes()
	}
}

func parquetOf(t *testing.T, hits []hit) []byte {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[hit](&b, parquet.DefaultEncoding(&parquet.RLEDictionary), parquet.Compression(&parquet.Zstd))
	_, err := w.Write(hits)
	require.NoError(t, errors.Join(err, w.Close()))
	return b.Bytes()
}

func arrowOf(t *testing.T, hits []hit) []byte {
	text := arrow.BinaryTypes.String
	names := []string{"id", "page", "referrer", "at", "seconds", "ok", "agent", "email"}
	var fields []arrow.Field
	for _, name := range names {
		fields = append(fields, arrow.Field{Name: name, Type: text})
	}
	fields = append(fields, arrow.Field{Name: "tags", Type: arrow.ListOf(text)}, arrow.Field{Name: "params", Type: arrow.MapOf(text, text)})
	schema := arrow.NewSchema(fields, nil)
	r := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	for _, h := range hits {
		for i, cell := range []string{h.ID, h.Page, h.Referrer, h.At, h.Seconds, h.OK, h.Agent, h.Email} {
			r.Field(i).(*array.StringBuilder).Append(cell)
		}
		tags, params := r.Field(8).(*array.ListBuilder), r.Field(9).(*array.MapBuilder)
		tags.Append(true)
		for _, tag := range h.Tags {
			tags.ValueBuilder().(*array.StringBuilder).Append(tag)
		}
		params.Append(true)
		for _, p := range h.Params {
			params.KeyBuilder().(*array.StringBuilder).Append(p.Key)
			params.ItemBuilder().(*array.StringBuilder).Append(p.Value)
		}
	}
	path := filepath.Join(t.TempDir(), "rows.arrow")
	f, err := os.Create(path)
	require.NoError(t, err)
	w, err := ipc.NewFileWriter(f, ipc.WithSchema(schema))
	require.NoError(t, err)
	require.NoError(t, errors.Join(w.Write(r.NewRecord()), w.Close(), f.Close()))
	return []byte(read(t, path))
}

// The logs have fields of their own for some of the places; what is no address or time is one all the same.
func combinedOf(_ *testing.T, hits []hit) []byte {
	var b bytes.Buffer
	for _, h := range hits {
		at := "17/Mar/2026:10:00:00 +0000"
		if !strings.HasPrefix(h.At, "2026") {
			at = h.At
		}
		fmt.Fprintf(&b, "%s - %s [%s] \"GET %s?q=%s HTTP/1.1\" 200 %s \"%s\" \"%s\"\n", h.ID, "u"+h.Email, at, h.Page, h.Email, h.Seconds, h.Referrer, h.Agent)
	}
	return b.Bytes()
}

func w3cOf(_ *testing.T, hits []hit) []byte {
	var b bytes.Buffer
	b.WriteString("#Version: 1.0\n#Fields: date time c-ip cs-username cs-uri-stem cs-uri-query cs(User-Agent) cs(Referer) time-taken\n")
	for _, h := range hits {
		at := "10:00:00"
		if !strings.HasPrefix(h.At, "2026") {
			at = h.At
		}
		fmt.Fprintf(&b, "2026-03-17 %s %s %s %s q=%s %s %s %s\n", at, h.ID, "u"+h.Email, h.Page, h.Email, h.Agent, h.Referrer, h.Seconds)
	}
	return b.Bytes()
}

func (f format) policy() string {
	c := f.columns
	rule := ""
	if f.columns == named {
		rule = "exclude: {consent: {from: usage, column: ok, allow: [\"yes\"]}}\n"
	}
	return "version: 1\npopulation: site\nprivacy_unit: {ids: [{column: " + c[0] + ", kind: opaque}]}\ninputs: {usage: {format: " + f.kind + "}}\ncolumns:\n" +
		"  page: {from: usage, of: event, role: dimension, column: " + c[1] + ", groups: private}\n" +
		"  site: {from: usage, of: event, role: dimension, column: \"" + c[2] + "\", as: registrable_domain, groups: private}\n" +
		"  moment: {from: usage, role: time, column: " + c[3] + ", as: " + c[4] + "}\n" +
		"  amount: {from: usage, role: value, column: " + c[5] + ", clamp: [0, 10]}\n" + f.more + rule +
		"min_people: {k: 20}\nbudget: {epsilon: \"20\", delta: \"0.009\"}\nrecipients: {acme: {purposes: [statistics]}}\n"
}

func (f format) release() string {
	var b strings.Builder
	b.WriteString("version: 1\nname: r\nsnapshot: s\nrecipient: acme\npurpose: statistics\nperiod: {from: 2026-03-16, to: 2026-03-23}\n" +
		"spend: {epsilon: \"20\", delta: \"0.001\"}\ntables:\n  - {name: everyone, bounds: {max_per_partition: 2}, statistics: [visitors, {sum: amount}]}\n")
	for _, d := range []string{"page", "site", "tag", "place"} {
		if d == "page" || d == "site" || strings.Contains(f.more, d+": {") {
			fmt.Fprintf(&b, "  - {name: by_%s, group_by: [%s], bounds: {max_partitions: 2, max_per_partition: 2}, statistics: [visitors, events]}\n", d, d)
		}
	}
	return b.String()
}

// forms are the ways in which a token could hide in what leaves, in lower case.
func forms(token string) map[string]string {
	all := map[string]string{}
	for name, text := range map[string]string{"": token, "upper ": strings.ToUpper(token), "lower ": strings.ToLower(token)} {
		b := []byte(text)
		for shift := range 3 {
			// The middle of the encoding does not depend on what stands beside it.
			encoded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), b...))
			all[name+fmt.Sprint("base64 ", shift)] = encoded[4 : len(encoded)-4]
		}
		m, s1, s2 := md5.Sum(b), sha1.Sum(b), sha256.Sum256(b)
		for hash, sum := range map[string][]byte{"md5": m[:], "sha1": s1[:], "sha256": s2[:]} {
			all[name+hash], all[name+hash+" base64"], all[name+hash+" bytes"] = hex.EncodeToString(sum), base64.RawStdEncoding.EncodeToString(sum), string(sum)
		}
		all[name+"hex"] = hex.EncodeToString(b)
	}
	var little, big []byte
	var percent string
	for _, u := range utf16.Encode([]rune(token)) {
		little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
		percent += fmt.Sprintf("%%%02x", u)
	}
	reversed := []byte(token)
	slices.Reverse(reversed)
	all["text"], all["reversed"], all["UTF-16LE"], all["UTF-16BE"], all["percent"] = token, string(reversed), string(little), string(big), percent
	for name, form := range all {
		all[name] = strings.ToLower(form)
	}
	return all
}

// seek looks for a token in texts, and in what compressed ones and Parquet hold.
func seek(t *testing.T, token string, texts map[string]string) {
	t.Helper()
	for name, text := range maps.Clone(texts) {
		if filepath.Ext(name) == ".parquet" {
			texts[name+" decoded"] = decoded(t, text)
		}
		if r, err := gzip.NewReader(strings.NewReader(text)); err == nil {
			inner, _ := io.ReadAll(r)
			texts[name+" inflated"] = string(inner)
		}
		if z, err := zip.NewReader(strings.NewReader(text), int64(len(text))); err == nil {
			for _, f := range z.File {
				r, err := f.Open()
				require.NoError(t, err)
				inner, _ := io.ReadAll(r)
				texts[name+" "+f.Name] = string(inner)
			}
		}
	}
	looked := forms(token)
	for where, text := range texts {
		text = strings.ToLower(where + "\n" + text)
		for form, secret := range looked {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds the token (%s)", where[strings.LastIndexByte(where, '/')+1:], form)
			}
		}
	}
}

// process runs the program by itself, in a folder and with a TMPDIR of its own, and returns its exit code and all that
// it left. sent, where not 0, is a signal that it gets while it reads.
func process(t *testing.T, sent syscall.Signal, args ...string) (code int, left map[string]string) {
	t.Helper()
	dir, tmp := t.TempDir(), t.TempDir()
	c := command(t, append(args, "-out", filepath.Join(dir, "out"))...)
	c.Dir = dir
	c.Env = append(c.Env, "TMPDIR="+tmp, "GOTRACEBACK=all")
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	require.NoError(t, c.Start())
	if sent != 0 {
		time.Sleep(150 * time.Millisecond)
		_ = c.Process.Signal(sent)
	}
	if exit := (*exec.ExitError)(nil); errors.As(c.Wait(), &exit) {
		code = exit.ExitCode()
	}
	left = map[string]string{"stdout": stdout.String(), "stderr": stderr.String()}
	for _, folder := range []string{dir, tmp} {
		maps.Copy(left, tree(t, folder))
	}
	return code, left
}

// TestAttackI10H3NoFormatLetsACanaryOut plants a token in every place of every format, and looks for it in all that
// plans, runs and failures leave.
func TestAttackI10H3NoFormatLetsACanaryOut(t *testing.T) {
	random := make([]byte, 16)
	_, _ = rand.Read(random)
	token := "zq" + hex.EncodeToString(random)
	for _, f := range formats() {
		t.Run(f.file, func(t *testing.T) {
			t.Parallel()
			content := f.write(t, planted(token))
			usage := write(t, f.file, string(content))
			policy, release := write(t, "policy.yaml", f.policy()), write(t, "release.yaml", f.release())
			args := []string{"-policy", policy, "-release", release, "-usage", usage}
			code, left := process(t, 0, append(args, "-json", "-memory", "64MiB")...)
			require.Equal(t, exitDone, code, left["stdout"]+left["stderr"])
			assert.Contains(t, left["stdout"], "example.org", "the records were read")
			assert.Greater(t, len(left), 10, "a bundle was written")
			seek(t, token, left)

			_, left = process(t, 0, append(args, "-plan")...)
			seek(t, token, left)

			// A file that ends too early, and one without what the policy names.
			cut := write(t, f.file, string(content[:len(content)*9/10]))
			_, left = process(t, 0, "-policy", policy, "-release", release, "-usage", cut)
			seek(t, token, left)
			other := write(t, "policy.yaml", strings.Replace(f.policy(), "column: "+f.columns[1]+",", "column: no_such_column,", 1))
			_, left = process(t, 0, "-policy", other, "-release", release, "-usage", usage)
			seek(t, token, left)
			// What is no such format, however it is wrapped, with the token first and last.
			garbled := strings.TrimSuffix(f.file, filepath.Ext(f.file))
			code, left = process(t, 0, "-json", "-policy", policy, "-release", release, "-usage", write(t, garbled, token+"\n"+token+` "`+token))
			require.Equal(t, f.kind == "combined", code == exitDone, "a log without a header drops what is no record")
			seek(t, token, left)
		})
	}
}

// TestAttackI10H3AProcessThatIsEndedTellsNothing: neither a trace of all its goroutines nor what it leaves behind does.
func TestAttackI10H3AProcessThatIsEndedTellsNothing(t *testing.T) {
	token := "zqNeverTellThisWordToAnybody"
	f := formats()[0]
	var hits []hit
	for i := range 60 {
		for _, h := range planted(token)[:600] {
			h.ID, h.Email, h.Page = fmt.Sprint(h.ID, "-", i, token), token, fmt.Sprint(h.Page, h.ID, "-", i, token)
			hits = append(hits, h)
		}
	}
	usage := write(t, f.file, string(f.write(t, hits)))
	policy, release := write(t, "policy.yaml", f.policy()), write(t, "release.yaml", f.release())
	args := []string{"-policy", policy, "-release", release, "-usage", usage, "-memory", "64MiB"}
	for _, sent := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGKILL, syscall.SIGTERM} {
		_, left := process(t, sent, args...)
		seek(t, token, left)
	}
	_, left := process(t, 0, args...)
	seek(t, token, left)
}
