// SPDX-License-Identifier: Apache-2.0

package csvio

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/throngdp/throng/aggregate/internal/blocks"
	"github.com/throngdp/throng/aggregate/table"
)

// maxColumns bounds what a header may make us allocate; spreadsheets end at 16,384.
const maxColumns = 1 << 16

// maxHint is the longest name in characters that is compared with what was asked for.
const maxHint = 64

// Marks that some programs put at the beginning of a text file.
var (
	markUTF8    = []byte{0xef, 0xbb, 0xbf}
	markUTF16LE = []byte{0xff, 0xfe}
	markUTF16BE = []byte{0xfe, 0xff}
)

// begin looks at the first bytes, settles line end and delimiter, and reads the header if one is due.
func (s *scan) begin(ctx context.Context, file string, opts Options, d *decoder) error {
	if err := s.src.More(ctx); err != nil {
		return err
	}
	if err := skipMark(s.src, file, d != nil); err != nil {
		return err
	}
	s.dialect.eol = '\n'
	if bytes.IndexByte(s.src.Rest(), '\n') < 0 && bytes.IndexByte(s.src.Rest(), '\r') >= 0 {
		s.dialect.eol = '\r'
	}
	if len(s.dialect.delim) == 0 {
		if err := s.skipBlank(ctx); err != nil {
			return err
		}
		s.dialect.delim = []byte{sniffDelimiter(s.src.Rest(), s.dialect.eol)}
	}
	if opts.Header == NoHeader {
		s.names = opts.Columns
	} else if err := s.readHeader(ctx, file, d); err != nil {
		return err
	}
	s.dialect.fields = len(s.names)
	s.cutter.dialect = &s.dialect
	return nil
}

// skipMark drops a UTF-8 byte order mark and refuses those that say that the text is something else.
func skipMark(src *blocks.Source, file string, singleByte bool) error {
	head := src.Rest()
	refuse := func(problem string) error {
		return &table.Error{File: file, Problem: problem, Err: table.ErrMalformed}
	}
	switch {
	case bytes.HasPrefix(head, markUTF16LE) || bytes.HasPrefix(head, markUTF16BE):
		return refuse("is in UTF-16; save it as UTF-8")
	case bytes.HasPrefix(head, markUTF8) && singleByte:
		return refuse("is marked as UTF-8; leave the encoding option empty")
	case bytes.HasPrefix(head, markUTF8):
		src.Skip(len(markUTF8))
	}
	return nil
}

// skipBlank goes to the first line that is not empty.
func (s *scan) skipBlank(ctx context.Context) error {
	for {
		p := s.src.Rest()
		blank := 0
		for blank < len(p) && (p[blank] == s.dialect.eol || s.atCRLF(p[blank:])) {
			blank++
		}
		s.src.Skip(blank)
		if s.src.AtEnd() || len(p)-blank > 1 {
			return nil
		}
		if err := s.src.More(ctx); err != nil {
			return err
		}
	}
}

// atCRLF reports whether p begins with the CR of a CRLF, or with one at the very end.
func (s *scan) atCRLF(p []byte) bool {
	if s.dialect.eol != '\n' || p[0] != '\r' {
		return false
	}
	if len(p) > 1 {
		return p[1] == '\n'
	}
	return s.src.AtEnd()
}

// sniffDelimiter returns the candidate that occurs most often outside quotes in the first line;
// on a tie the first in the order of candidates, so that a line without any gives a comma.
func sniffDelimiter(p []byte, eol byte) byte {
	const candidates = ",;\t|"
	var count [len(candidates)]int
	quoted := false
	for _, c := range p {
		if c == '"' {
			quoted = !quoted
		}
		if quoted {
			continue
		}
		if c == eol {
			break
		}
		if i := strings.IndexByte(candidates, c); i >= 0 {
			count[i]++
		}
	}
	best := 0
	for i := range count {
		if count[i] > count[best] {
			best = i
		}
	}
	return candidates[best]
}

// readHeader takes the first record as the columns' names.
func (s *scan) readHeader(ctx context.Context, file string, d *decoder) error {
	refuse := func(problem string, err error) error {
		return &table.Error{File: file, Problem: problem, Err: err}
	}
	if err := s.skipBlank(ctx); err != nil {
		return err
	}
	if len(s.src.Rest()) == 0 {
		return refuse("is empty; a CSV needs a header line; where files have none, name their columns", table.ErrSchema)
	}
	for {
		p := s.src.Rest()
		rec, verdict := s.dialect.scan(p, s.src.AtEnd(), nil)
		switch {
		case verdict == broken:
			return refuse("has a header line whose quotes do not close; put it right", table.ErrMalformed)
		case verdict == short && len(p) <= maxRecord:
			if err := s.src.More(ctx); err != nil {
				return err
			}
			continue
		case verdict == short || rec.end > maxRecord:
			return refuse("has a header line that does not end within 1 MiB; is it a CSV, and are its quotes closed?", table.ErrLimit)
		case rec.fields > maxColumns:
			return refuse("has more than 65,536 columns; keep those that are needed", table.ErrLimit)
		}
		s.names = s.headerNames(p[:rec.end], rec.fields, d)
		s.src.Skip(rec.next)
		return nil
	}
}

// headerNames takes a record that scan found good apart.
func (s *scan) headerNames(rec []byte, fields int, d *decoder) []string {
	names, spans := make([]string, fields), make([]span, fields)
	s.dialect.scan(rec, true, spans)
	var unquoted, decoded []byte
	for i, f := range spans {
		name := unquote(rec[f.start:f.end], f.doubled, &unquoted)
		if d != nil {
			name = d.decode(name, &decoded)
		}
		names[i] = strings.TrimSpace(string(name))
	}
	return names
}

// projected says that field number field of a record goes to column number slot of a batch.
type projected struct{ field, slot int }

// project finds the asked columns among names, ordered by field.
func project(file string, names, asked []string) ([]projected, error) {
	var faults []error
	wanted := make([]projected, 0, len(asked))
	for slot, name := range asked {
		field := slices.Index(names, name)
		e := &table.Error{File: file, Column: name, Err: table.ErrSchema}
		switch {
		case field < 0 || name == "":
			e.Problem = "is not there; " + hint(names, name)
			faults = append(faults, e)
		case slices.Contains(names[field+1:], name):
			e.Problem = "is there more than once; rename all but one in the header"
			faults = append(faults, e)
		default:
			wanted = append(wanted, projected{field, slot})
		}
	}
	slices.SortFunc(wanted, func(a, b projected) int { return a.field - b.field })
	return wanted, errors.Join(faults...)
}

// hint proposes a name that differs from asked by so little that it tells nothing new. It must not
// show more: where a file has no header, what stands in its place is somebody's record.
func hint(names []string, asked string) string {
	for _, name := range names {
		if asked != "" && strings.EqualFold(name, asked) {
			return `did you mean "` + name + `"?`
		}
	}
	// A third of the letters, so that "id" is not near to every two letters there are.
	most := min(2, utf8.RuneCountInString(asked)/3)
	for distance := 1; distance <= most; distance++ {
		for _, name := range names {
			if editDistance(name, asked, most) == distance {
				return `did you mean "` + name + `"?`
			}
		}
	}
	return "check the header line and the delimiter"
}

// editDistance is the Levenshtein distance of a and b in characters; any number above most, if above.
func editDistance(a, b string, most int) int {
	n, m := utf8.RuneCountInString(a), utf8.RuneCountInString(b)
	if max(n-m, m-n) > most || n > maxHint {
		return most + 1
	}
	s, t := []rune(a), []rune(b)
	row := make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i, c := range s {
		diagonal := row[0]
		row[0] = i + 1
		for j, d := range t {
			cost := 1
			if c == d {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(t)]
}
