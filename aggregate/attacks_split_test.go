// SPDX-License-Identifier: Apache-2.0

package aggregate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/dp/mechanism/mechanismtest"
)

// splitJob is a job in which a course cell holds several courses.
func splitJob(t *testing.T) job {
	t.Helper()
	j := newJob(t, `
  - name: course
    group_by: [course, gender]
    bounds: {max_partitions: 4, max_per_partition: 3}
    statistics: [visitors, events, {sum: score}]
  - name: course_share
    group_by: [course]
    bounds: {max_partitions: 4, max_per_partition: 3}
    statistics: [visitors, {share: events}]
  - name: activity
    group_by: [activity]
    bounds: {max_partitions: 3, max_per_partition: 1000}
    statistics: [visitors, events, {sum: score}]
  - name: gender
    group_by: [gender]
    bounds: {max_per_partition: 1000}
    statistics: [visitors, events, {sum: score}, {sum: points}]
`, "K", "1")
	course := j.policy.Columns["course"]
	course.Split = "|"
	j.policy.Columns["course"] = course
	return j
}

func (j job) sums(t *testing.T, w world) map[string]int64 {
	t.Helper()
	got := map[string]int64{}
	for _, c := range j.drawn(t, w) {
		if c.Operation == mechanismtest.AddNoise {
			got[c.Site.Table+"."+c.Site.Statistic] += c.Input
		}
	}
	return got
}

// TestAttackB13ARecordWithAThousandTags gives one person records with a thousand tags each: they count in as many
// groups as the bounds say, and once in every table that the tags do not divide.
func TestAttackB13ARecordWithAThousandTags(t *testing.T) {
	var tags []string
	for i := range 1500 {
		tags = append(tags, fmt.Sprintf("tag-%d", i), "tag-0", " ")
	}
	score, points := 0.5, int64(7)
	var w world
	for range 5 {
		w.uses = append(w.uses, use{ID: []byte("one"), Course: []byte(strings.Join(tags, "|")), Activity: []byte("quiz"), Score: &score, Points: &points})
	}
	for _, g := range []string{"M", "F", "F"} {
		w.visits = append(w.visits, visit{ID: []byte("one"), Gender: []byte(g)})
	}
	got := splitJob(t).sums(t, w)
	assert.Equal(t, map[string]int64{
		"course.visitors": 4, "course.events": 12, "course.sum_score": 12 * 500,
		"course_share.visitors": 4, "course_share.events": 12, "course_share.events_total": 12,
		"activity.visitors": 1, "activity.events": 5, "activity.sum_score": 2500,
		"gender.visitors": 1, "gender.events": 5, "gender.sum_score": 2500, "gender.sum_points": 35,
	}, got)
}

// TestAttackB13APersonMovesNoMoreThanTheBoundsSay compares worlds with and without a person of many tags.
func TestAttackB13APersonMovesNoMoreThanTheBoundsSay(t *testing.T) {
	j := splitJob(t)
	var others, one world
	points := int64(1)
	for i := range 40 {
		id := fmt.Appendf(nil, "p%d", i)
		others.uses = append(others.uses, use{ID: id, Course: fmt.Appendf(nil, "a%d|b%d|c", i%3, i%2), Activity: []byte("quiz"), Points: &points})
	}
	for i := range 100 {
		one.uses = append(one.uses, use{ID: []byte("one"), Course: fmt.Appendf(nil, "a%d|c|d%d|d%d", i%3, i, i+1), Activity: []byte("quiz"), Points: &points})
	}
	without, with := j.sums(t, others), j.sums(t, others.with(one))
	assert.EqualValues(t, 120, without["course.visitors"], "each of forty people in three groups")
	assert.EqualValues(t, 40, without["gender.events"])
	// Groups of the one person alone are few, so that no draw of another group is gone.
	assert.LessOrEqual(t, with["course.visitors"]-without["course.visitors"], int64(4))
	assert.LessOrEqual(t, with["course.events"]-without["course.events"], int64(12))
	assert.EqualValues(t, 100, with["gender.events"]-without["gender.events"])
}

func TestSplitCellsArePublished(t *testing.T) {
	var usage strings.Builder
	usage.WriteString("id,tags\n")
	for i := range 300 {
		fmt.Fprintf(&usage, "p%d,%s\n", i, []string{"rock; Jazz;;polka", "jazz;jazz", "; ;"}[i%3])
	}
	columns := `  genre: {from: usage, of: event, role: dimension, column: tags, split: ";", values: {rock: rock, jazz: jazz}, otherwise: other}`
	const all = "group_by: [genre], bounds: {max_partitions: 3, max_per_partition: 1}, statistics: [visitors, events]"
	res := generalised(t, columns, usage.String(), all)
	for group, want := range map[string]float64{"rock": 100, "jazz": 200, "other": 200} {
		assert.InDelta(t, want, value(t, res, "t0", "visitors", group), 30, group)
		assert.InDelta(t, want, value(t, res, "t0", "events", group), 30, group)
	}
	assert.Contains(t, res.Plan.String(), "a record is in each group that its cell names for genre")
}

// TestInterestsOfVisitorsAlone reads interests from registrations, where there is no usage.
func TestInterestsOfVisitorsAlone(t *testing.T) {
	p, err := aggregate.ParsePolicy("policy", []byte(`
version: 1
population: members
privacy_unit: {ids: [{column: id, from: visitors, kind: opaque}]}
columns:
  interest: {from: visitors, of: event, role: dimension, split: ",", groups: private}
  gender: {from: visitors, of: person, role: dimension, groups: [female, male, unknown]}
min_people: {k: 20}
budget: {epsilon: "20", delta: "0.009"}
recipients: {team: {purposes: [statistics]}}
`))
	require.NoError(t, err)
	r := generalisedRelease(t, "group_by: [interest, gender], bounds: {max_partitions: 3}, statistics: [visitors, {share: visitors, within: [gender]}]",
		"group_by: [gender], statistics: [visitors]")
	var visitors strings.Builder
	visitors.WriteString("id,interest,gender\n")
	for i := range 300 {
		fmt.Fprintf(&visitors, "p%d,\"chess,sport,own-%d\",%s\n", i, i, []string{"male", "female"}[i%2])
	}
	res, err := aggregate.Run(t.Context(), p, r, aggregate.Inputs{Visitors: []table.Source{csvBytes(t, []byte(visitors.String()))}})
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"", "female"}, {"", "male"}, {"chess", "female"}, {"chess", "male"}, {"sport", "female"}, {"sport", "male"}}, groups(res, 0))
	assert.InDelta(t, 150, value(t, res, "t0", "visitors", "chess", "male"), 40)
	assert.InDelta(t, 150, value(t, res, "t1", "visitors", "male"), 40)
	absent(t, res, "own-")
}

func TestFaultsOfSplits(t *testing.T) {
	for fields, want := range map[string]string{
		`of: person, split: "|"`:                   `policy.columns.tag.split: got "|", want nothing for a dimension of the person; write of: event`,
		`of: event, split: "12345678901234567"`:    "want at most 16 bytes",
		`of: event, from: visitors, split: "|"`:    `policy.columns.tag.of: got event, want person`,
		`of: event, split: "|", resolve: conflict`: "policy.columns.tag.resolve",
	} {
		if !strings.Contains(fields, "from:") {
			fields += ", from: usage"
		}
		p := generalising(t, "  tag: {role: dimension, groups: private, "+fields+"}\n  kind: {from: usage, of: event, role: dimension, groups: private}")
		_, err := aggregate.NewPlan(p, generalisedRelease(t, "group_by: [kind], bounds: {max_partitions: 1}, statistics: [visitors]"))
		assert.ErrorContains(t, err, want, fields)
	}
	p := generalising(t, `
  tag: {from: usage, of: event, role: dimension, groups: private, split: ","}
  genre: {from: usage, of: event, role: dimension, groups: private, split: ","}`)
	_, err := aggregate.NewPlan(p, generalisedRelease(t, "group_by: [tag, genre], bounds: {max_partitions: 1}, statistics: [visitors]"))
	assert.ErrorContains(t, err, `release.tables[0].group_by[1]: got "genre" beside tag, both with several values in a cell, want one multi-valued dimension; make two tables`)
	_, err = aggregate.NewPlan(p, generalisedRelease(t, "group_by: [tag], statistics: [visitors]"))
	assert.ErrorContains(t, err, "release.tables[0].bounds.max_partitions: got nothing", "L0 is charged")
}
