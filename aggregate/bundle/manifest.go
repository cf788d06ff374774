// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/throngdp/throng/aggregate"
)

// manifest is release.json. The upper part has the names of the OpenDP registry of deployments, so
// that an entry can be filed by copying and adding what only the owner knows: data_curators,
// data_product_region and publication_date. The lower part is what throng can say beyond them. Nothing
// in it is read from the data.
type manifest struct {
	Format     string     `json:"format"`
	Deployment deployment `json:"deployment"`

	Release releaseID `json:"release"`
	// Preset names the mapping that the owner's policy began with.
	Preset     string                `json:"preset,omitempty"`
	MinPeople  minPeople             `json:"min_people"`
	Exclusions []string              `json:"exclusions"`
	Confidence float64               `json:"confidence"`
	Intervals  string                `json:"intervals"`
	Statuses   map[string]string     `json:"obs_status"`
	Tables     []aggregate.PlanTable `json:"tables"`
	Totals     []string              `json:"totals,omitempty"`
	Columns    []map[string]string   `json:"columns"`
	Ledger     string                `json:"ledger"`
}

type deployment struct {
	Basic          map[string]string `json:"basic"`
	Variant        map[string]string `json:"dp_variant"`
	PrivacyLoss    privacyLoss       `json:"privacy_loss"`
	Model          map[string]string `json:"deployment_model"`
	Accounting     map[string]string `json:"accounting"`
	Implementation map[string]string `json:"implementation"`
}

type privacyLoss struct {
	Unit        string                 `json:"privacy_unit"`
	UnitDetails string                 `json:"privacy_unit_details"`
	Parameters  map[string]json.Number `json:"privacy_parameters"`
	Details     string                 `json:"privacy_parameters_details"`
}

type releaseID struct {
	Population string `json:"population"`
	Name       string `json:"name"`
	Snapshot   string `json:"snapshot"`
	Recipient  string `json:"recipient"`
	Purpose    string `json:"purpose"`
	Period     string `json:"period"`
	AsOf       string `json:"as_of,omitempty"`
}

type minPeople struct {
	K        int64  `json:"k"`
	Declared string `json:"declared"`
	Meaning  string `json:"meaning"`
}

// intervalsText says what every interval covers, and what none does.
const intervalsText = "ci_low and ci_high enclose the number that the bounded, filtered data has, with 95 % confidence, " +
	"whether or not the row could have been withheld. The intervals of the shares of one whole hold together with that " +
	"confidence. They cover the noise. They do not cover what bounding, clamping and exclusion took away."

// ledgerText is printed where nothing remembers what was spent.
const ledgerText = "not recorded: every run spends again"

// notProtected says what a reader must not take for granted.
const notProtected = "facts about groups; records outside the input; how long the run took; the raw files themselves"

func manifestOf(r *aggregate.Result) manifest {
	p := r.Plan
	ledger := "recorded"
	if !r.Recorded {
		ledger = ledgerText
	}
	return manifest{
		Format: "throng-release/1",
		Deployment: deployment{
			Basic: map[string]string{
				"name": p.Release, "intended_use": p.Purpose, "data_product_type": "Summary statistics",
				"description": "differentially private aggregates of " + p.Population + " for " + p.Recipient,
			},
			Variant: map[string]string{
				"variant_name": variant(p), "data_domain": "usage and visitor records, any number per person",
				"unprotected_quantities": notProtected,
			},
			PrivacyLoss: privacyLoss{
				Unit: p.UnitName, UnitDetails: p.Unit + "; neighbouring inputs: " + p.Neighbors,
				Parameters: map[string]json.Number{"epsilon": parameter(p.Spend.Epsilon), "delta": parameter(p.Spend.Delta)},
				Details: fmt.Sprintf("exactly ε = %s and δ = %s, for everything in this folder together; other releases about the same people add to it",
					p.Spend.Epsilon, p.Spend.Delta),
			},
			Model: map[string]string{
				"model_name": "Central", "release_type": "Many releases", "data_source_type": "Dynamic",
				"access_type": "Non-interactive", "release_type_details": "one folder per recipient, release and snapshot",
			},
			Accounting: map[string]string{
				"composition":     p.Composition + " composition over every draw and selection",
				"post_processing": "shares, means, intervals, rounding and what is displayed are computed from noisy numbers only",
			},
			Implementation: map[string]string{
				"mechanisms":    mechanisms(p),
				"justification": "values are integers inside declared bounds before the first addition; noise is integer noise; no float is summed",
			},
		},
		Release: releaseID{p.Population, p.Release, p.Snapshot, p.Recipient, p.Purpose, p.Period, p.AsOf}, Preset: p.Preset,
		MinPeople:  minPeople{p.MinPeople, p.Declared, minPeopleText(p)},
		Exclusions: p.Exclusions, Confidence: p.Confidence, Intervals: intervalsText,
		Statuses: statuses, Tables: p.Tables, Totals: p.Totals, Columns: columns, Ledger: ledger,
	}
}

// statuses are the codes of obs_status, from SDMX's CL_OBS_STATUS.
var statuses = map[string]string{
	"A": "may be quoted",
	"U": "the interval is wide, or bounds took more than the noise can hide: quote the number only together with its interval and with what is said of bounds",
	"Q": "withheld: there is no number, and its absence says nothing exact about how many people there are",
}

// columns says what the columns behind the dimensions hold.
var columns = []map[string]string{
	{"name": "statistic", "description": "which number this row is; a row named ..._total is what shares are divided by"},
	{"name": "unit", "description": "persons, events, percent, or the unit of the value"},
	{"name": "value", "description": "the noisy number, to compute with; it may be negative or above 100 percent"},
	{"name": "display", "description": "the number to quote: value rounded, and moved into the range that is possible, also beside its total and its parts"},
	{"name": "ci_low", "description": "lower end of the 95 % interval, rounded down"},
	{"name": "ci_high", "description": "upper end of the 95 % interval, rounded up"},
	{"name": "obs_status", "description": "how far the number can be relied on: A, U or Q"},
}

// parameter turns exact text into a JSON number. A fraction is rounded up: a larger loss is the safe
// thing to state.
func parameter(exact string) json.Number {
	r, ok := new(big.Rat).SetString(exact)
	if !ok || !strings.Contains(exact, "/") {
		return json.Number(exact)
	}
	f, _ := r.Float64()
	if new(big.Rat).SetFloat64(f).Cmp(r) < 0 {
		f = math.Nextafter(f, math.Inf(1))
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}

func variant(p *aggregate.Plan) string {
	if p.Spend.Delta == "0" {
		return "Pure DP"
	}
	return "Approximate DP"
}

func mechanisms(p *aggregate.Plan) string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, t := range p.Tables {
		for _, d := range t.Draws {
			add("integer " + d.Mechanism + " noise")
		}
		switch t.Selection.Rule {
		case "threshold":
			add("threshold on the noisy number of people")
		case "partition_selection":
			add("optimal partition selection")
		}
	}
	return strings.Join(names, ", ") + "; integer noise is drawn by github.com/google/differential-privacy/go/v3"
}

func minPeopleText(p *aggregate.Plan) string {
	if p.Declared == string(aggregate.Noisy) {
		return fmt.Sprintf("groups found in the data rest on at least %d people; declared groups are withheld where the noisy number of people is below %d, so there k holds for the noisy number", p.MinPeople, p.MinPeople)
	}
	if p.UnitName == "record" {
		return fmt.Sprintf("no number rests on fewer than %d records; how many people these are of is not known", p.MinPeople)
	}
	return fmt.Sprintf("no number rests on fewer than %d distinct people", p.MinPeople)
}
