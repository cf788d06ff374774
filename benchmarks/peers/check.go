// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// errFar is for figures that noise and sampling do not explain.
var errFar = errors.New("the figures are too far apart")

// figures are a result: by group, by statistic.
type figures map[string]map[string]float64

func (f figures) set(group, statistic string, v float64) {
	if f[group] == nil {
		f[group] = map[string]float64{}
	}
	f[group][statistic] = v
}

// most is what one person adds at most to a statistic of one group.
var most = map[string]float64{"visitors": 1, "events": 5, "sum_seconds": 5 * 600}

// minPeople is the k of the policy and of the SQL.
const minPeople = 20

// beyond is how many 95 % half-widths of Laplace noise are noise: exp(-6·ln 20) is a chance of 2e-8 for
// a figure, and some 10,000 figures are compared. It is also how many standard deviations are sampling.
const beyond = 6

// allowance is how far two figures may lie apart. Width is the 95 % half-width of all their noise. Where
// each side draws which groups of a person count, a figure varies too: people are drawn independently
// and one adds at most c to it, so that its variance is at most c times its expectation.
func allowance(statistic string, figure, width float64, sampled bool) float64 {
	out := beyond * width
	if sampled {
		c := most[statistic]
		out += beyond * (math.Sqrt(2*c*figure) + c)
	}
	return out
}

// near compares throng's last result with a peer's. Widths are those of the peer's noise.
func near(ctx context.Context, ours *command, q question, theirs figures, widths map[string]float64) (string, error) {
	mine, err := readOurs(filepath.Join(ours.fresh, "data", q.name+".csv"), q)
	if err != nil {
		return "", err
	}
	plan, err := readPlan(ctx, ours)
	if err != nil {
		return "", err
	}
	return plan.near(mine, theirs, widths, q.sampled)
}

// near holds each figure of ours against theirs, and each group of theirs that is surely above the
// threshold against what ours shows. Without widths their figures are exact.
func (p planned) near(mine, theirs figures, widths map[string]float64, sampled bool) (string, error) {
	far, compared, missing := 0, 0, 0
	for group, statistics := range mine {
		for statistic, v := range statistics {
			other, ok := theirs[group][statistic]
			if !ok && (theirs[group] != nil || widths != nil || statistic != "visitors") {
				continue // the peer has no such statistic, or a noisy threshold of its own
			}
			if !ok {
				other = minPeople // DuckDB shows all that have as many
			}
			compared++
			if math.Abs(v-other) > allowance(statistic, other, p.width[statistic]+widths[statistic], sampled) {
				far++
			}
		}
	}
	for group, statistics := range theirs {
		v := statistics["visitors"]
		sure := v - allowance("visitors", v, p.width["visitors"]+widths["visitors"], sampled)
		if mine[group] == nil && sure > p.shownFrom {
			missing++
		}
	}
	text := fmt.Sprintf("%d figures compared, %d too far apart; %d groups missing", compared, far, missing)
	if far > 0 || missing > 0 {
		return text, fmt.Errorf("%w: %s", errFar, text)
	}
	return text, nil
}

// planned is what the check needs of throng's plan.
type planned struct {
	shownFrom float64
	width     map[string]float64
}

// readPlan asks throng for the plan of a command; no data is read.
func readPlan(ctx context.Context, ours *command) (planned, error) {
	text, err := output(ctx, ours.path, "-plan", "-json", "-policy", argument(ours, "-policy"), "-release", argument(ours, "-release"))
	if err != nil {
		return planned{}, err
	}
	var plan struct {
		Tables []struct {
			Selection struct {
				ShownFrom float64 `json:"shown_from"`
			} `json:"selection"`
			Draws []struct {
				Statistic string  `json:"statistic"`
				Width     float64 `json:"half_width_95"`
			} `json:"draws"`
		} `json:"tables"`
	}
	if err := json.Unmarshal([]byte(text), &plan); err != nil {
		return planned{}, fmt.Errorf("reading the plan: %w", err)
	}
	if len(plan.Tables) != 1 || plan.Tables[0].Selection.ShownFrom == 0 {
		return planned{}, errors.New("reading the plan: got no threshold, want one table with a threshold")
	}
	out := planned{shownFrom: plan.Tables[0].Selection.ShownFrom, width: map[string]float64{}}
	for _, d := range plan.Tables[0].Draws {
		out.width[d.Statistic] = d.Width
	}
	return out, nil
}

func argument(c *command, name string) string { return c.args[slices.Index(c.args, name)+1] }

// readOurs reads a table of throng's folder. Withheld figures and totals are left out.
func readOurs(path string, q question) (figures, error) {
	records, at, err := readTable(path)
	if err != nil {
		return nil, err
	}
	out := figures{}
	for _, r := range records {
		if r[at["value"]] == "" || most[r[at["statistic"]]] == 0 {
			continue
		}
		v, err := strconv.ParseFloat(r[at["value"]], 64)
		if err != nil {
			return nil, err
		}
		out.set(groupOf(r, at, q), r[at["statistic"]], v)
	}
	return out, nil
}

func readDuckDB(path string, q question) (figures, error) {
	records, at, err := readTable(path)
	if err != nil {
		return nil, err
	}
	out := figures{}
	for _, r := range records {
		for statistic := range most {
			i, ok := at[statistic]
			if !ok {
				continue
			}
			v, err := strconv.ParseFloat(r[i], 64)
			if err != nil {
				return nil, err
			}
			out.set(groupOf(r, at, q), statistic, v)
		}
	}
	return out, nil
}

// readTable reads CSV and says where its columns are.
func readTable(path string) ([][]string, map[string]int, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, nil, err
	}
	if len(records) == 0 {
		return nil, nil, fmt.Errorf("%s: got an empty file, want a header", path)
	}
	at := map[string]int{}
	for i, name := range records[0] {
		at[name] = i
	}
	return records[1:], at, nil
}

func groupOf(r []string, at map[string]int, q question) string {
	var labels []string
	for _, name := range q.groupBy {
		labels = append(labels, r[at[name]])
	}
	return strings.Join(labels, "|")
}

// readBeam reads the lines "statistic|group|value". Its sum clamps a person's total and not records, so
// that it is not compared. There is no file where no group is shown.
func readBeam(path string, q question) (figures, map[string]float64, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	out := figures{}
	for line := range strings.Lines(string(text)) {
		statistic, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "|")
		at := strings.LastIndexByte(rest, '|')
		if at < 0 || statistic == "sum" {
			continue
		}
		v, err := strconv.ParseFloat(rest[at+1:], 64)
		if err != nil {
			return nil, nil, err
		}
		out.set(rest[:at], statistic, v)
	}
	// Laplace noise of scale L1/ε; see the budget in beam/main.go.
	widths := map[string]float64{"visitors": math.Log(20)}
	if strings.Contains(q.stats, "events") {
		widths = map[string]float64{"visitors": math.Log(20) * 3 * 5, "events": math.Log(20) * 3 * 5 * 5}
	}
	return out, widths, nil
}
