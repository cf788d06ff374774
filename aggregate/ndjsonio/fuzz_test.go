// SPDX-License-Identifier: Apache-2.0

package ndjsonio_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzAnyBytesAreReadOrRefused: whatever stands in a file, a scan ends without a panic.
func FuzzAnyBytesAreReadOrRefused(f *testing.F) {
	for _, seed := range []string{"{}\n{\"a\":{\"b\":1}}\n", "[{}]", "{\n}", "\xef\xbb\xbf{\"a.b\":\"\\ud83d\\ude00\"}", "{\"a\":[[[", "\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := scan(t, source(t, data), "a", "a.b", "")
		if err == nil {
			require.LessOrEqual(t, len(rows), bytes.Count(data, []byte("\n"))+1)
		}
	})
}

// FuzzARecordAgreesWithEncodingJSON compares one line with the standard library's reading of it.
func FuzzARecordAgreesWithEncodingJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a":{"b":"x"},"a.b":2}`, `{"a.b":null}`, `{"a":[1],"b":1e5}`, `{"a":"\u00e9\ud83d\ude00\n"}`,
		`{"a":1,"a":2}`, `{"a":{"c":1,"\u0063":2}}`, `{"a":"\ud83d"}`, "{\"a\":\"\xff\"}", `{"a":01}`, `{"a":1}{}`, ` {"b":true } `,
	} {
		f.Add(seed)
	}
	columns := []string{"a", "b", "a.b"}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "\n") {
			return
		}
		// The first line keeps what follows from being judged as the start of a file.
		rows, err := scan(t, source(t, []byte("{}\n"+line)), columns...)
		require.NoError(t, err)
		want, sure := reference(line, columns)
		switch {
		case len(rows) == 2:
			require.NotNil(t, want, "a record that encoding/json refuses")
			require.Equal(t, want, rows[1])
		case sure:
			require.Nil(t, want, "a record that was dropped")
		}
	})
}

// reference reads the columns with encoding/json, nil where the line is no record. It is not sure
// where the standard library repairs text, and then looks like a string with U+FFFD.
func reference(line string, columns []string) (row []string, sure bool) {
	dec := json.NewDecoder(strings.NewReader(line))
	dec.UseNumber()
	var record map[string]any
	if dec.Decode(&record) != nil || record == nil {
		return nil, true
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, true
	}
	for _, column := range columns {
		row = append(row, text(record, column))
	}
	repaired := !utf8.ValidString(line) || strings.Contains(strings.ToLower(line), `\ud`)
	return row, !repaired && !hasNameTwice(line)
}

// text looks a path of at most one dot up: nested first, then as it is spelled.
func text(record map[string]any, path string) string {
	value := record[path]
	if outer, inner, dotted := strings.Cut(path, "."); dotted {
		if object, ok := record[outer].(map[string]any); ok {
			if nested, ok := object[inner]; ok {
				value = nested
			}
		}
	}
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return map[bool]string{true: "true", false: "false"}[v]
	}
	return null
}

// hasNameTwice walks the tokens of a valid line.
func hasNameTwice(line string) bool {
	dec := json.NewDecoder(strings.NewReader(line))
	dec.UseNumber()
	twice := false
	var walk func()
	walk = func() {
		token, _ := dec.Token()
		open, ok := token.(json.Delim)
		if !ok {
			return
		}
		names := map[any]bool{}
		for dec.More() {
			if open == '{' {
				name, _ := dec.Token()
				twice = twice || names[name]
				names[name] = true
			}
			walk()
		}
		_, _ = dec.Token()
	}
	walk()
	return twice
}
