// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate/audit"
)

// edit replaces every occurrence of a text in a file of the module.
type edit struct{ file, old, new string }

// mutant is a fault in the source, and one of the checks or measures that must find it.
type mutant struct {
	name   string
	folder string // of the policy and the release
	by     string
	edits  []edit
}

// everything is a release of all that there is, found one whose bounds are found, owners one whose ids are linked,
// students one whose minimum is noisy, together one that bounds all of a person's records.
const (
	everything = "testdata"
	found      = "testdata/found"
	owners     = "testdata/linked"
	students   = "../../examples/oulad"
	together   = "testdata/contributions"
)

var mutants = []mutant{
	{"N-05 noise of nine tenths", demo, "scale", []edit{
		{"dp/mechanism/live.go", "rounded(drawn, n.refinement)", "rounded(drawn/10*9, n.refinement)"}}},
	{"N-06 Gaussian noise of nine tenths", everything, "scale", []edit{
		{"dp/mechanism/live.go", "noise.Gaussian(), gaussianEpsilon,", "noise.Gaussian(), gaussianEpsilon*1.15,"}}},
	{"N-15 half of the scale forgotten", demo, "charge", []edit{
		{"aggregate/internal/plan/plan.go", "scale := n.Scale * stretch", "scale := n.Scale * stretch / 2"},
		{"aggregate/internal/plan/plan.go", "return err == nil && e <= c.spend.Epsilon.Float()", "return err == nil && e <= 2*c.spend.Epsilon.Float()"},
		{"aggregate/internal/plan/plan.go", "return e.Cmp(c.spend.Epsilon.Rat()) <= 0 && d.Cmp(", "return e.Sign() > 0 && d.Cmp("}}},
	{"N-15 half of it charged", demo, "charge", []edit{
		{"aggregate/run.go", "Spend: c.spend(), Budget", "Spend: half(c.spend()), Budget"},
		{"aggregate/charge.go", "// MemoryCharger keeps", "func half(s dp.Spend) dp.Spend { s.Epsilon = s.Epsilon.Part(1, 2); return s }\n\n// MemoryCharger keeps"}}},
	{"L-01 charged after the noise", demo, "charge", []edit{
		{"aggregate/run.go", "\tplan := rd.plan\n", "\tplan := rd.plan\n\tif _, err := publish(ctx, rd.c, rd.s, rd.partials, rd.mechanism); err != nil {\n\t\treturn nil, err\n\t}\n"}}},
	{"L0 ignored by the noise", everything, "sensitivity", []edit{
		{"aggregate/draws.go", "t.draw(string(CountVisitors), t.l0, 1)", "t.draw(string(CountVisitors), 1, 1)"}}},
	{"L0 ignored by bounding", demo, "sensitivity", []edit{
		{"aggregate/scanner.go", "MaxPartitions: t.l0, MaxPerPartition: max(", "MaxPartitions: t.l0 + 1, MaxPerPartition: max("}}},
	{"records of a person not bounded", demo, "sensitivity", []edit{
		{"aggregate/internal/engine/portion.go", "return min(int64(acc[0]), t.Bounds.MaxPerPartition)", "return int64(acc[0])"}}},
	{"the noise of a sum is for one record", everything, "sensitivity", []edit{
		{"aggregate/draws.go", "times(reach, t.Bounds.MaxPerPartition)", "reach"}}},
	{"the noise of squares is for a sum", everything, "sensitivity", []edit{
		{"aggregate/draws.go", "reach *= reach", "reach += 0"}}},
	{"values are not centred", everything, "sensitivity", []edit{
		{"aggregate/internal/engine/fold.go", "- sum.Centre", "+ sum.Centre - 1"}}},
	{"levels of a tree not charged", everything, "sensitivity", []edit{
		{"aggregate/quantiles.go", "L0: t.l0 * levels, LInf: most, L1: t.Bounds.MaxContributions * levels,", "L0: t.l0, LInf: most, L1: t.Bounds.MaxContributions,"}}},
	{"a tree of all of a person's records", everything, "sensitivity", []edit{
		{"aggregate/internal/engine/spread.go", "records, e, func", "records, records, func"}}},
	{"a raw node in a tree", everything, "same_result", []edit{
		{"aggregate/quantiles.go", "out[i] = noisy", "out[i] = noisy - noisy + exact"}}},
	{"a person in two cells of a survey", found, "sensitivity", []edit{
		{"aggregate/internal/engine/survey.go", "to.Groups[SurveyCell(int64(groups))]++", "to.Groups[SurveyCell(int64(groups))]++\n\t\tto.Groups[0]++"}}},
	{"bounds that were found not kept to", found, "sensitivity", []edit{
		{"aggregate/internal/engine/close.go", "kept, crowded = kept[:most], true", "crowded = true"}}},
	{"a person shares out more than one part in a survey", found, "sensitivity", []edit{
		{"aggregate/internal/engine/clamps.go", "row[cell] += until - given", "row[cell] += until - 0*given"}}},
	{"a clamp that was found not kept to", found, "sensitivity", []edit{
		{"aggregate/internal/engine/survey.go", "table.left[s] = s != f.first+clamps[i]", "table.left[s] = s != f.first+0*clamps[i]"}}},
	{"the noise of a total is for one group", everything, "sensitivity", []edit{
		{"aggregate/draws.go", "all := t.most()", "all := t.Bounds.MaxPerPartition"}}},
	{"all of a person's records not bounded", together, "sensitivity", []edit{
		{"aggregate/internal/engine/portion.go", "records > most {", "records > 1000*most {"}}},
	{"all of a person's records bounded by one more", together, "sensitivity", []edit{
		{"aggregate/internal/engine/portion.go", "p.room, p.further = most-groups, ", "p.room, p.further = most-groups+1, "}}},
	{"noise is for less than all of a person's records", together, "sensitivity", []edit{
		{"aggregate/draws.go", "times(reach, t.Bounds.MaxContributions)", "times(reach, t.Bounds.MaxPerPartition)"}}},
	{"the noise of a total is for one group's records", together, "sensitivity", []edit{
		{"aggregate/draws.go", "all := t.most()", "all := t.Bounds.MaxPerPartition"}}},
	{"the tree of all of a person's records is for one level", together, "sensitivity", []edit{
		{"aggregate/quantiles.go", "L1: t.Bounds.MaxContributions * levels,", "L1: t.Bounds.MaxContributions,"}}},
	{"rows counted for people", demo, "sensitivity", []edit{
		{"aggregate/internal/engine/close.go", "\tg.Visitors[i]++\n\tif !t.recorded() {", "\tif g.Visitors[i]++; t.recorded() {\n\t\tg.Visitors[i] += int64(acc[0]) - 1\n\t}\n\tif !t.recorded() {"}}},
	{"B-01 the clamp's result discarded", everything, "sensitivity", []edit{
		{"aggregate/internal/engine/fold.go", "v = min(max(v, sum.Clamp.Lower), sum.Clamp.Upper)", "_ = min(max(v, sum.Clamp.Lower), sum.Clamp.Upper)"}}},
	{"B-06 totals clamped before they are summed", everything, "sensitivity", []edit{
		{"aggregate/internal/engine/fold.go", "if !sum.Total {", "if sum.Total || !sum.Total {"},
		{"aggregate/internal/engine/close.go", "return min(max(saturate(lo, hi), c.Lower), c.Upper)", "return saturate(lo, hi)"}}},
	{"B-03 the first groups are kept", everything, "order", []edit{
		{"aggregate/internal/engine/fold.go", "pr := priority(&f.e.spec.Seed, row[0], row[1], f.hashes[n])", "pr := uint64(n)"}}},
	{"L-13 δ of a threshold not split", demo, "choice_of_groups", []edit{
		{"dp/mechanism/threshold.go", "delta.Part(1, n.l0).Float()", "delta.Float()"}}},
	{"S-02 a threshold lower by one", demo, "choice_of_groups", []edit{
		{"dp/mechanism/threshold.go", "return q + 2, true", "return q + 1, true"}}},
	{"S-02 a threshold compared with the number above", demo, "choice_of_groups", []edit{
		{"dp/mechanism/live.go", "noisy >= t.At", "noisy+1 >= t.At"}}},
	{"k forgotten by the threshold", demo, "choice_of_groups", []edit{
		{"dp/mechanism/live.go", "return n >= t.K && noisy >= t.At, nil", "return noisy >= t.At, nil"}}},
	{"S-08 k applied to the raw number", students, "same_draws", []edit{
		{"aggregate/publish.go", "p.shown[i] = noisy >= p.c.policy.MinPeople.K", "p.shown[i] = n >= p.c.policy.MinPeople.K"}}},
	{"S-08 k compared with one person more", demo, "minimum", []edit{
		{"aggregate/publish.go", "p.t.calibrated.Threshold, n, noisy)", "p.t.calibrated.Threshold, n+1, noisy)"}}},
	{"L-13 ε and δ of a selection not split", everything, "choice_of_groups", []edit{
		{"dp/mechanism/selection.go", "newKeepCurve(epsilon.Part(1, l0).Rat(), delta.Part(1, l0).Rat())", "newKeepCurve(epsilon.Rat(), delta.Rat())"}}},
	{"k not fused into the selection", everything, "choice_of_groups", []edit{
		{"dp/mechanism/selection.go", "return s.curve.at(n - (s.k - 1))", "return s.curve.at(n)"}}},
	{"P-01 a raw denominator", everything, "same_result", []edit{
		{"aggregate/wholes.go", "wholes[i].total = v", "wholes[i].total = v - v + exact[i]"}}},
	{"a raw number published", demo, "same_result", []edit{
		{"aggregate/publish.go", "d.drawn[i], d.noisy[i] = true, v", "d.drawn[i], d.noisy[i] = true, v-v+exact"}}},
	{"hidden groups published", demo, "minimum", []edit{
		{"aggregate/rows.go", "\t\tif p.shown[cell] && s.place[cell] >= 0 {\n\t\t\tfill(", "\t\tif s.place[cell] >= 0 {\n\t\t\tfill("}}},
	{"B-03 only so many people counted", everything, "sensitivity", []edit{
		{"aggregate/internal/engine/close.go", "\t\tc.visitors++\n", "\t\tif c.visitors++; c.visitors > 60 {\n\t\t\treturn\n\t\t}\n"}}},
	{"S-06 groups in the order of a map", everything, "same_draws", []edit{
		{"aggregate/cells.go", "range found.order(p.all) {", "range slices.Collect(maps.Values(maps.Collect(slices.All(found.order(p.all))))) {"},
		{"aggregate/cells.go", "import (\n", "import (\n\t\"maps\"\n"}}},
	{"P-06 a raw number in the manifest", everything, "same_result", []edit{
		{"aggregate/run.go", "\tplan := rd.plan\n", "\traw := *rd.plan\n\tplan := &raw\n\tplan.Unit += fmt.Sprint(rd.partials.Visitors)\n"}}},
	{"D-06 people counted by device", owners, "sensitivity", []edit{
		{"aggregate/internal/scan/builder.go", "b.in.Links.ResolveAll(r.Hi[:r.N], r.Lo[:r.N])", "b.in.Links.ResolveAll(nil, nil)"}}},
	{"D-06 devices joined after they are bounded", owners, "sensitivity", []edit{
		{"aggregate/internal/scan/builder.go", "b.in.Links.ResolveAll(r.Hi[:r.N], r.Lo[:r.N])", "engine.Late = b.in.Links.ResolveAll"},
		{"aggregate/internal/engine/close.go", "// closer turns", "var (\n\tLate func(hi, lo []uint64)\n\tjoined sync.Map\n)\n\n// closer turns"},
		{"aggregate/internal/engine/close.go", "\tdefer e.Discard()\n", "\tdefer e.Discard()\n\tjoined.Clear()\n"},
		{"aggregate/internal/engine/close.go", "\t\taddPerson(groups, table, Group{kept[1], person}, acc, e)\n",
			"\t\taddPerson(groups, table, Group{kept[1], person}, acc, e)\n\t\thi, lo := []uint64{rec[0]}, []uint64{rec[1]}\n\t\tLate(hi, lo)\n" +
				"\t\tif _, again := joined.LoadOrStore([4]uint64{uint64(t), kept[1], hi[0], lo[0]}, 0); again {\n" +
				"\t\t\tg, i := groups.at(Group{kept[1], person})\n\t\t\tg.Visitors[i]--\n\t\t}\n"}}},
	{"D-06 a cut that looks at other people's links", owners, "sensitivity", []edit{
		{"anonymize/identity/forest.go", "f.joinWithin(members[pair>>32], members[uint32(pair)], l.maxIDs)", "f.joinWithin(members[pair>>32], members[uint32(pair)], l.maxIDs-uint32(l.links.n%2))"}}},
	{"D-06 a cut in the order of rows", owners, "order", []edit{
		{"anonymize/identity/forest.go", "\tslices.Sort(links)\n", "\tslices.Sort(links[:0])\n"}}},
	{"empty groups not drawn", everything, "same_draws", []edit{
		{"aggregate/publish.go", "\tkey := p.keyOf(i, p.all)\n", "\tif p.cells.at[i] < 0 {\n\t\treturn nil\n\t}\n\tkey := p.keyOf(i, p.all)\n"}}},
}

// TestMutantsAreOfThisSource fails where the source has moved on and a fault can no longer be planted.
func TestMutantsAreOfThisSource(t *testing.T) {
	for _, m := range mutants {
		assert.NotEmpty(t, m.patch(t), m.name)
	}
}

// patch returns the mutated files by their paths.
func (m mutant) patch(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, e := range m.edits {
		path, err := filepath.Abs(filepath.Join("../..", e.file))
		require.NoError(t, err)
		text, ok := files[path]
		if !ok {
			source, err := os.ReadFile(path)
			require.NoError(t, err)
			text = string(source)
		}
		assert.Contains(t, text, e.old, "%s: %s no longer has this", m.name, e.file)
		files[path] = strings.ReplaceAll(text, e.old, e.new)
	}
	return files
}

// TestMutantsAreCaught builds this package's tests with each mutant in the place of the source, and audits with
// them. That takes longest of all tests: .ci/run has one of them caught.
func TestMutantsAreCaught(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			if !nightly() {
				t.Skip("nightly")
			}
			report := m.audit(t)
			assert.True(t, report.Violated)
			assert.Contains(t, failed(report), m.by)
		})
	}
}

// subject names where the child process writes its report, and of what.
const (
	subjectReport = "THRONG_AUDIT_REPORT"
	subjectFolder = "THRONG_AUDIT_FOLDER"
)

// audit returns what an audit of the mutant finds.
func (m mutant) audit(t *testing.T) *audit.Report {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report.json")
	child := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-count=1", "-overlay", m.overlay(t), "-run", "^TestSubject$", ".")
	child.Env = append(os.Environ(), subjectReport+"="+report, subjectFolder+"="+m.folder)
	out, err := child.CombinedOutput()
	require.NoError(t, err, "%s", out)
	raw, err := os.ReadFile(report)
	require.NoError(t, err)
	var r audit.Report
	require.NoError(t, json.Unmarshal(raw, &r))
	return &r
}

// overlay writes the mutated files, and the list of them that the go command reads.
func (m mutant) overlay(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for path, text := range m.patch(t) {
		to := filepath.Join(dir, strings.ReplaceAll(filepath.ToSlash(path), "/", "_"))
		require.NoError(t, os.WriteFile(to, []byte(text), 0o600))
		overlay.Replace[path] = to
	}
	raw, err := json.Marshal(overlay)
	require.NoError(t, err)
	list := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(list, raw, 0o600))
	return list
}

// TestSubject is what the child process runs.
func TestSubject(t *testing.T) {
	to := os.Getenv(subjectReport)
	if to == "" {
		t.Skip("for TestMutantsAreCaught")
	}
	p, r := load(t, os.Getenv(subjectFolder))
	report, err := audit.Run(t.Context(), p, r, audit.Options{Samples: 5000})
	require.NoError(t, err)
	raw, err := json.Marshal(report)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, raw, 0o600))
}
