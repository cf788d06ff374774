// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"github.com/throngdp/throng/dp"
)

// Policy is the data owner's rules. It is a plain value: build it in Go or load it with
// [LoadPolicy]; either way [NewPlan] reports every fault in it at once. The zero value is refused.
type Policy struct {
	// Version is the version of this format: 1.
	Version int64
	// From is the preset that [LoadPolicy] has laid the policy over, such as segment; empty means none. In a
	// Policy that is built in Go it adds nothing, and is only named in plans.
	From string
	// Population names the people whose records these are. Budgets belong to it, not to files.
	Population  string
	PrivacyUnit PrivacyUnit
	// Inputs says how the files of each input are written, where sniffing is not enough.
	Inputs  InputFormats
	Columns map[string]Column
	Exclude Exclude
	// MinPeople is the hard minimum of people in any published group.
	MinPeople MinPeople
	// Budget is the most that all releases together may spend on this population.
	Budget dp.Spend
	// Recipients are who may receive a release, by name.
	Recipients map[string]Recipient

	where
}

// PrivacyUnit says whose data is protected: one person, found by the first of IDs that is not null.
type PrivacyUnit struct {
	IDs []IDColumn
	// Per is empty, day, week or record. Day and week protect less: what a person did on one day, or in one week, each by itself. Who
	// has records in n of them has n times the privacy loss. Days are those of the time column's zone; weeks
	// begin on Monday, or of a day_offset on day 0, 7, 14 and so on. Every group must lie in one, so that it has
	// people and not their days, and people are left out by what is known of them, not by what they did. Record is
	// for records without any id, and protects each record alone: nothing is promised to a person who has several,
	// and numbers are of records, never of people. Empty protects all that a person did.
	Per string
	// Links, where set, says that ids in one record of the links input are one person's.
	Links *Links
}

// Links joins ids to people: cookies, devices and accounts. The table of links is fixed, as the policy is:
// protected is who it says is one person.
type Links struct {
	// Columns are the columns of the links input, two or more. All ids of a record are one person's.
	Columns []ListColumn
	// MaxIDs is the most ids that are one person's, 2 to 1000. Those of more are parted, by a rule that looks at
	// their own links alone.
	MaxIDs int64
}

// ListColumn is a column of ids in an input that is a list of them.
type ListColumn struct {
	Column string
	// ID is the column of [PrivacyUnit.IDs] that holds the same ids.
	ID string
}

// IDColumn is a column that holds a privacy id.
type IDColumn struct {
	Column string
	// From is the input that has the column; empty means every input.
	From InputName
	// Kind says how to bring the id into canonical form: opaque (byte-exact), email, phone, uuid, ip
	// or int.
	Kind string
}

// InputName is one of the two inputs.
type InputName string

// The two inputs: registration records, and records of what was used when.
const (
	Visitors InputName = "visitors"
	Usage    InputName = "usage"
)

// InputFormats holds one format per input.
type InputFormats struct{ Visitors, Usage, Links, Listed, Consents Format }

// Format says how an input's files are written. The zero value sniffs everything.
type Format struct {
	// Format is csv, tsv, ndjson, parquet, arrow, combined or w3c; empty sniffs the content.
	Format string
	// Delimiter separates CSV fields; empty sniffs the header line.
	Delimiter string
	// Columns names the columns of a CSV file that has no header line.
	Columns []string
	// Encoding is utf-8 (also when empty), latin-1 or windows-1252.
	Encoding string
	// Null lists further spellings of null in CSV; the empty field and \N always are.
	Null []string
}

// Role is what a column is for.
type Role string

// The roles.
const (
	// Dimension: what a table may group by.
	Dimension Role = "dimension"
	// TimeRole: when a usage record happened; the release's period applies to it.
	TimeRole Role = "time"
	// ValueRole: a number that a table may sum.
	ValueRole Role = "value"
	// Identifier: documented, never decoded.
	Identifier Role = "identifier"
)

// Of says what a dimension describes.
type Of string

// A dimension describes the person or the single record.
const (
	OfPerson Of = "person"
	OfEvent  Of = "event"
)

// Column is one thing that the policy reads from the inputs, under its name in the policy. Columns
// of the inputs that no Column, id or rule names are never decoded.
type Column struct {
	From InputName
	Of   Of
	Role Role
	// Column is the raw column; empty means the Column's own name. Columns joins several, with Join
	// between them, into one text.
	Column  string
	Columns []string
	Join    string
	// Split, where set, stands between several values of one cell: the record is in the group of each of its first
	// 1024 different labels, as it is where Column names the items of a list, such as interests[]. Only for a
	// dimension of events, of which a table has one such at most.
	Split string
	// As says what the raw value is: birth_year, birth_date or age before Bands; rfc3339, date,
	// yyyymmdd, clf, unix_s, unix_ms, unix_us, unix_ns or day_offset for a time; registrable_domain,
	// browser_family or device_class for a URL or a User-Agent header of which only that is left; prefix for a
	// code of which the first Length characters are; phone_country, phone_area or, before a Lookup by
	// prefix, phone for an international phone number; ip_network for an IP address.
	As string
	// Length is how many characters As: prefix leaves, 1 to 64. What is shorter becomes Otherwise.
	Length int64
	// Bits is how many bits of an address As: ip_network leaves, 16 and 32 where they are 0.
	Bits struct{ V4, V6 int64 }
	// Zone is the IANA time zone of local times and of Grain; empty means UTC.
	Zone string
	// Grain cuts a time to hour, day, iso_week or month.
	Grain string
	// Values maps raw spellings to labels. What it does not list becomes Otherwise.
	Values map[string]string
	// Lookup turns raw values into labels by a table of the owner's, in place of Values.
	Lookup *Lookup
	// Otherwise is the label of null, of what cannot be read, and of what Values, Lookup or Groups do not list;
	// empty means "unknown".
	Otherwise string
	// Bands cuts a number into [b0,b1), [b1,b2), … and an open last band.
	Bands []int64
	// Step cuts a number into cells of this width instead, from Origin (0 where unset) up and down: Bands whose edges
	// are those of the cells that hold a number of Range, [lower, upper), of at most 999 cells.
	Step, Origin int64
	Range        []int64
	Groups       Groups
	// Resolve makes one value of a person's several: most_frequent (also when empty) or conflict
	// (two different values make it unknown).
	Resolve string
	// Clamp bounds each record's value; SumClamp instead bounds a person's total in one group. Both
	// are decimal numbers in the value's unit.
	Clamp, SumClamp *Range
	// Resolution is the smallest step that counts, a decimal; empty means 1.
	Resolution string
	// Unit is the value's unit, for people.
	Unit string
	// Invalid says what happens to a record whose value cannot be read: drop (also when empty)
	// leaves it out of tables that use the value, clamp counts it at the lower bound.
	Invalid string
}

// Range is a closed interval of decimal numbers as written.
type Range struct{ Lower, Upper string }

// Groups says which groups a dimension has.
type Groups struct {
	// Private groups are found in the data and shown only through partition selection.
	Private bool
	// Declared groups are known beforehand: each one has a row, whatever the data holds.
	Declared []string
}

// Exclude holds the rules that leave people out. A person is left out whole: one record that breaks
// a rule, in either input and at any time, takes all records of that person with it. What cannot be
// read counts as breaking the rule.
type Exclude struct {
	Consent  *ConsentRule
	UnderAge *UnderAgeRule
	// OptOuts are programmes and uses that people can leave, at most 8.
	OptOuts []AllowRule
	// Signals are what browsers and sites send along with each record.
	Signals *SignalsRule
	// Country keeps only people who are in the listed countries.
	Country *AllowRule
	// TCF keeps only people whose string of the Transparency and Consent Framework consents to some purposes.
	TCF *TCFRule
	// Retention leaves out records that are older than they may be kept.
	Retention *RetentionRule
	// Listed leaves out whoever has an id in the listed input: requests for erasure, people of the house, tests.
	Listed *ListedRule
	// Internal leaves out whoever comes from networks of the house.
	Internal *InternalRule
	// Consents keeps only people who have consented, by the log of what they decided.
	Consents *ConsentsRule
	// Bots leaves out whoever sends a User-Agent header of a robot or of a program that no person browses with.
	Bots *BotsRule
}

// AllowRule keeps only people whose column says one of Allow, compared without regard to case.
type AllowRule struct {
	From   InputName
	Column string
	Allow  []string
	// Unset says what null means: exclude (also when empty) or keep. What is neither null nor one of Allow
	// always excludes.
	Unset Unset
	// Purposes are those of releases to which an opt-out applies; none means all. A Country has none.
	Purposes []string
}

// TCFRule names the column of TC strings, or of IABTCF_PurposeConsents; see [anonymize.TCF].
type TCFRule struct {
	From   InputName
	Column string
	// Purposes are those of the framework, 1 to 24, of which people must consent to all.
	Purposes []int64
	// Applies is the column of gdprApplies; where it says 0, false or no, the rule asks for nothing. Empty means that
	// it always applies.
	Applies string
	// Unset says what null means: exclude (also when empty) or keep.
	Unset Unset
}

// RetentionRule leaves out records from before so many days before the release's as_of, and those whose time cannot be
// read: they are no activity, and say nothing of a person's values. What they say of who is left out still holds. The
// records are those of the input that has the time column.
type RetentionRule struct {
	// Days is 1 to 36,500.
	Days int64
}

// ListedRule names the columns of the listed input. Everybody with one of its ids is left out, and with an id that
// is linked to it.
type ListedRule struct{ Columns []ListColumn }

// ConsentsRule keeps only people whose last decision in the consents input is consent. Each record of it is a decision,
// about everybody who has one of its ids, or one that is linked to it. Consent counts if it was given before the release's as_of,
// and a refusal whenever it was made, so that of the decisions that count the last one holds; of several at the same time
// a refusal. A decision whose time cannot be read is a refusal for good.
type ConsentsRule struct {
	// Columns are those of ids.
	Columns []ListColumn
	// Status is the column of what was decided. One of Allow is consent, compared without regard to case, and all else,
	// null among it, a refusal.
	Status string
	Allow  []string
	// At is the column of when; As and Zone say how it is read, as for a time column.
	At, As, Zone string
	// Days is how long a consent counts, 1 to 36,500 before as_of; 0 means for good.
	Days int64
	// Purpose, where set, is the column of what was decided about, and Purposes the values of it that mean a purpose of releases. Other
	// values are about something else; where it cannot be read nothing is consented to, and all is refused.
	Purpose  string
	Purposes map[string][]string
	// Unset says what becomes of people without a decision that counts: exclude (also when empty) or keep.
	Unset Unset
}

// SignalsRule leaves out people for whom a signal is on in some record: one of the named columns says 1, true,
// yes or on. Only 0, false, no and off are known to be off.
type SignalsRule struct {
	From InputName
	// GPC is the column of the Global Privacy Control header (Sec-GPC), DNT that of Do Not Track, COPPA that of
	// the mark of a site or user under the Children's Online Privacy Protection Act. Empty means no such column.
	GPC, DNT, COPPA string
	// Unset says what null means, for headers that are only sent when on: exclude (also when empty) or keep.
	Unset Unset
}

// InternalRule leaves out whoever has a record from one of Networks: the house's own offices and machines, tests and
// monitors. What is no address is not known, and leaves out.
type InternalRule struct {
	From InputName
	// Column has IP addresses.
	Column string
	// Networks are networks such as 10.0.0.0/8, or single addresses; at most 1000.
	Networks []string
	// Unset says what null means: exclude (also when empty) or keep.
	Unset Unset
}

// BotsRule names the column of User-Agent headers. A header that names no robot is kept; null is not known.
type BotsRule struct {
	From   InputName
	Column string
	// Unset says what null means: exclude (also when empty) or keep.
	Unset Unset
}

// Unset says what null means to a rule.
type Unset string

// The meanings of null.
const (
	ExcludeUnset Unset = "exclude"
	KeepUnset    Unset = "keep"
)

// ConsentRule keeps only people whose column says one of Allow.
type ConsentRule struct {
	From   InputName
	Column string
	Allow  []string
	// Purpose, where set, is the only purpose that the consent covers; other releases are refused.
	Purpose string
	// Given, where set, says when it was given.
	Given *Given
}

// Given names the columns of a record that say when consent was given and withdrawn. It counts if it was given before the
// release's as_of, and not withdrawn then or since, at whatever time. Null is no time of giving, and no withdrawal;
// what cannot be read is neither given nor kept.
type Given struct {
	// At is the column of when it was given, and Withdrawn, where set, of when it was withdrawn.
	At, Withdrawn string
	// As and Zone say how both are read, as for a time column.
	As, Zone string
	// Days is how long it counts, 1 to 36,500 before as_of; 0 means for good.
	Days int64
}

// UnderAgeRule leaves out people who may be younger than Below at the start of the period. A birth
// year is read as 31 December of that year: the youngest that the person can be.
type UnderAgeRule struct {
	From   InputName
	Column string
	// As is birth_year, birth_date or age.
	As    string
	Below int64
	// Unless keeps a younger person whose other column says one of Allow.
	Unless *Unless
}

// Unless is a column and the values of it that lift a rule.
type Unless struct {
	Column string
	Is     []string
	// Given, where set, says when that was given.
	Given *Given
}

// DeclaredMode says how the minimum applies to declared groups.
type DeclaredMode string

const (
	// Hard: a declared group's values are shown only if the group passes the same charged selection
	// as a private one. It is the default.
	Hard DeclaredMode = "hard"
	// Noisy: values are withheld where the noisy number of people is below k. Nothing is charged,
	// and k holds for the noisy number only.
	Noisy DeclaredMode = "noisy"
)

// MinPeople is the minimum of distinct people in a published group.
type MinPeople struct {
	K        int64
	Declared DeclaredMode
}

// Recipient is someone who may receive releases.
type Recipient struct{ Purposes []string }
