// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/table"
)

const lookupPolicy = `
version: 1
population: site
privacy_unit: {ids: [{column: id, kind: opaque}]}
columns:
  carrier: {from: usage, of: person, role: dimension, column: phone, as: phone, lookup: {file: tables/carriers.csv, by: prefix, level: 2}}
  country: {from: usage, of: person, role: dimension, column: address, lookup: {file: countries.csv, by: network}, groups: [DE, FR], otherwise: elsewhere}
min_people: {k: 20}
budget: {epsilon: "20", delta: "0.009"}
recipients: {team: {purposes: [statistics]}}
`

// lookupFolder writes a policy and its tables, "" for none.
func lookupFolder(t *testing.T, carriers, countries string) (policy string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "tables"), 0o755))
	for name, text := range map[string]string{"policy.yaml": lookupPolicy, "tables/carriers.csv": carriers, "countries.csv": countries} {
		if text != "" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
	}
	return filepath.Join(dir, "policy.yaml")
}

const (
	carriersTable  = "+4915;Carrier A;mobile\n+4916;Carrier B;mobile\n+49;;fixed line\n"
	countriesTable = "198.51.100.0/24,DE\n203.0.113.0/24,FR\n"
)

func TestLookupsAreReadWithThePolicy(t *testing.T) {
	p, err := aggregate.LoadPolicy(lookupFolder(t, carriersTable, countriesTable))
	require.NoError(t, err)
	r := generalisedRelease(t, "group_by: [carrier], statistics: [visitors]", "group_by: [country], statistics: [visitors]")
	var usage strings.Builder
	usage.WriteString("id,phone,address\n")
	for i := range 300 {
		phone := []string{"+49 151 55%05d", "+49 162 55%05d", "+49 30 55%05d"}[i%3]
		address := []string{"198.51.100.%d", "203.0.113.%d", "192.0.2.%d"}[i%3]
		fmt.Fprintf(&usage, "p%d,%s,%s\n", i, fmt.Sprintf(phone, i), fmt.Sprintf(address, i%256))
	}
	res, err := aggregate.Run(t.Context(), p, r, aggregate.Inputs{Usage: []table.Source{csvBytes(t, []byte(usage.String()))}})
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"fixed line"}, {"mobile"}, {"unknown"}}, groups(res, 0), "all labels of the level are declared")
	assert.Equal(t, [][]string{{"DE"}, {"FR"}}, groups(res, 1))
	assert.InDelta(t, 200, value(t, res, "t0", "visitors", "mobile"), 30)
	assert.InDelta(t, 100, value(t, res, "t1", "visitors", "DE"), 30)
	absent(t, res, "Carrier", "198.51", "+49")
}

func TestAnotherTableIsAnotherPlan(t *testing.T) {
	release := generalisedRelease(t, "group_by: [carrier], statistics: [visitors]")
	text := func(carriers, countries string) string {
		p, err := aggregate.LoadPolicy(lookupFolder(t, carriers, countries))
		require.NoError(t, err)
		plan, err := aggregate.NewPlan(p, release)
		require.NoError(t, err)
		return plan.String()
	}
	first := text(carriersTable, countriesTable)
	assert.Contains(t, first, "carrier by prefix, level 2 of the table with the SHA-256 ")
	assert.NotContains(t, first, "country by", "a table that the release does not use")
	assert.Equal(t, first, text(carriersTable, countriesTable+"192.0.2.0/24,NL\n"))
	assert.NotEqual(t, first, text(carriersTable+"+4917;Carrier C;mobile\n", countriesTable), "the labels are the same, and who gets them is not")
}

func TestFaultsOfLookupFilesNameFileAndLine(t *testing.T) {
	path := lookupFolder(t, "", countriesTable)
	_, err := aggregate.LoadPolicy(path)
	assert.ErrorContains(t, err, path+`:6: policy.columns.carrier.lookup.file: got "tables/carriers.csv", which cannot be opened (`)
	assert.ErrorContains(t, err, "want a file of at most 32 MiB that can be read; paths begin at the policy's folder; correct it")
	assert.ErrorIs(t, err, aggregate.ErrSpec)

	require.NoError(t, os.Mkdir(filepath.Join(filepath.Dir(path), "tables/carriers.csv"), 0o700))
	_, err = aggregate.LoadPolicy(path)
	assert.ErrorContains(t, err, "which is no regular file")
	require.NoError(t, os.Remove(filepath.Join(filepath.Dir(path), "tables/carriers.csv")))
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "tables/carriers.csv"), make([]byte, 32<<20+1), 0o600))
	_, err = aggregate.LoadPolicy(path)
	assert.ErrorContains(t, err, "which is larger")

	path = lookupFolder(t, "+4915;a;b\ncanary;a;canary\n+49;canary\n", countriesTable)
	p, err := aggregate.LoadPolicy(path)
	require.NoError(t, err)
	_, err = aggregate.NewPlan(p, generalisedRelease(t, "group_by: [carrier], statistics: [visitors]"))
	require.Error(t, err)
	file := filepath.Join(filepath.Dir(path), "tables/carriers.csv")
	assert.Equal(t, []string{
		file + ":2: policy.columns.carrier.lookup: got something else in line 2, want a plus sign and digits; write the prefix with its country code",
		file + ":3: policy.columns.carrier.lookup: got something else in line 3, want a key and 2 levels; complete the line",
	}, strings.Split(err.Error(), "\n"))

	p, err = aggregate.LoadPolicy(lookupFolder(t, carriersTable+"+4917;a;anna@example.org\n", countriesTable))
	require.NoError(t, err)
	_, err = aggregate.NewPlan(p, generalisedRelease(t, "group_by: [carrier], statistics: [visitors]"))
	assert.ErrorContains(t, err, "a label that looks like an identifier (email)")
	assert.NotContains(t, err.Error(), "anna")
}

func TestLookupsOfPoliciesInGo(t *testing.T) {
	release := generalisedRelease(t, "group_by: [carrier], statistics: [visitors]")
	p, err := aggregate.ParsePolicy("", []byte(lookupPolicy))
	require.NoError(t, err)
	_, err = aggregate.NewPlan(p, release)
	assert.ErrorContains(t, err, "policy.columns.carrier.lookup.file: got nothing, want a table that is read; load the policy from its file, or fill Table")
	p.Columns["country"].Lookup.Table = countriesTable
	p.Columns["carrier"].Lookup.Table = carriersTable
	_, err = aggregate.NewPlan(p, release)
	require.NoError(t, err)
	p.Columns["carrier"].Lookup.Table = "+49;only one level"
	_, err = aggregate.NewPlan(p, release)
	assert.ErrorContains(t, err, "want a key and 2 levels", "a table is read again when it has changed")
	p.Columns["carrier"].Lookup.By = "longest"
	_, err = aggregate.NewPlan(p, release)
	assert.ErrorContains(t, err, "want one of value, prefix, network")
}
