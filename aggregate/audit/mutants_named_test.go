// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
)

// unseen are faults that no audit can see, as they neither change what a draw is made for nor what is published of it:
// each must fail the test of its attack. Those of N-02 and N-03 have a known fault beside them in their own tests.
var unseen = []struct {
	mutant
	room, test string
}{
	{mutant{name: "I-08 NaN kept", edits: []edit{
		{"anonymize/generalize/number.go", "\t\treturn 0, Invalid\n", "\t\treturn MaxQuanta, Finite\n"}}},
		"anonymize/generalize", "TestAttackI08SpecialFloatsNeverReachTheSum"},
	{mutant{name: "I-10 an error that quotes", edits: []edit{
		{"aggregate/table/errors.go", "\treturn nil\n", "\treturn err\n"}}},
		"aggregate/table", "TestAttackI10CauseKeepsOnlyFixedTexts"},
	{mutant{name: "B-07 sums in floats", edits: []edit{
		{"aggregate/internal/engine/close.go", "add128(to, sum.bounded(words[0], words[1], e, n))",
			"to[0] = uint64(int64(float32(int64(to[0])) + float32(sum.bounded(words[0], words[1], e, n))))"}}},
		"aggregate", "TestAttackB07TinyNumbersCannotMoveASum"},
	{mutant{name: "L-03 a charge in two steps", edits: []edit{
		{"aggregate/charge.go", "\tif !total.Within(c.Budget) {", "\tm.mu.Unlock()\n\truntime.Gosched()\n\tm.mu.Lock()\n\tif !total.Within(c.Budget) {"},
		{"aggregate/charge.go", "import (\n", "import (\n\t\"runtime\"\n"}}},
		"aggregate", "TestMemoryChargerNeverOverspendsUnderConcurrentUse"},
	{mutant{name: "L-08 a budget in floats", edits: []edit{
		{"aggregate/charge.go", "!total.Within(c.Budget)", "total.Epsilon.Float() > c.Budget.Epsilon.Float() || total.Delta.Float() > c.Budget.Delta.Float()"}}},
		"aggregate", "TestAttackL08FloatBudgetDriftByAHair"},
	{mutant{name: "O-01 a dictionary", edits: []edit{
		{"aggregate/bundle/internal/tablefile/parquet.go", "meta.Type, meta.Encoding = format.ByteArray, meta.Encoding[:1]",
			"meta.Type, meta.Encoding = format.ByteArray, []format.Encoding{format.RLEDictionary}"}}},
		"aggregate/bundle/internal/tablefile", "TestAttackO01NoDictionaryPages"},
	{mutant{name: "O-03 statistics of the rows", edits: []edit{
		{"aggregate/bundle/internal/tablefile/parquet.go", "\tmeta.TotalUncompressedSize = f.offset", "\tmeta.Statistics.MaxValue = []byte{1}\n\tmeta.TotalUncompressedSize = f.offset"}}},
		"aggregate/bundle/internal/tablefile", "TestAttackO03FooterHoldsNothingOfTheRows"},
}

func TestUnseenMutantsFailTheirTests(t *testing.T) {
	for _, m := range unseen {
		t.Run(m.name, func(t *testing.T) {
			list := m.overlay(t)
			if !nightly() {
				t.Skip("nightly")
			}
			child := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-count=1", "-overlay", list, "-run", "^"+m.test+"$", "../../"+m.room)
			child.Env = os.Environ()
			out, err := child.CombinedOutput()
			assert.Error(t, err)
			assert.Contains(t, string(out), "--- FAIL: "+m.test)
		})
	}
}
