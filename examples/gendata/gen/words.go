// SPDX-License-Identifier: Apache-2.0

package gen

// weighted is a word with its share in a thousand.
type weighted struct {
	word  string
	share int
}

// pick returns the word on which n of a thousand falls.
func pick(words []weighted, n int) string {
	for _, w := range words {
		if n -= w.share; n < 0 {
			return w.word
		}
	}
	return words[len(words)-1].word
}

var genders = []weighted{
	{"F", 310}, {"M", 265}, {"female", 85}, {"male", 80}, {"Female", 45}, {"Male", 35}, {"f", 20}, {"m", 20},
	{"X", 15}, {"", 70}, {`\N`, 25}, {"unknown", 15}, {"(not set)", 10}, {"-", 5},
}

var consents = []weighted{{"yes", 820}, {"no", 110}, {"", 70}}

var optOuts = []weighted{{"no", 700}, {"yes", 100}, {"", 200}}

var parentalConsents = []weighted{{"yes", 400}, {"no", 200}, {"", 400}}

var devices = []weighted{{"mobile", 560}, {"desktop", 360}, {"tablet", 80}}

// place is a country with its share, how its phone numbers begin, and its cities.
type place struct {
	weighted
	phone  string
	cities []string
}

var places = []place{
	{weighted{"US", 300}, "+120255501", []string{"Springfield", "Portland", "Austin", "Dayton"}},
	{weighted{"GB", 200}, "+4477009001", []string{"Leeds", "Bristol", "London", "Cardiff"}},
	{weighted{"DE", 150}, "+493023125", []string{"Köln", "Berlin", "Jena"}},
	{weighted{"FR", 120}, "+331990012", []string{"Lyon", "Paris", "Nîmes"}},
	{weighted{"PL", 90}, "+485550100", []string{"Łódź", "Kraków"}},
	{weighted{"NO", 60}, "+47999001", []string{"Oslo", "Tromsø"}},
	{weighted{"JP", 50}, "+813555001", []string{"東京", "大阪"}},
	{weighted{"", 30}, "+120255501", []string{""}},
}

var firstNames = []string{
	"Ada", "Alan", "Grace", "Edsger", "Barbara", "Donald", "Radia", "Ken", "Frances", "Dennis", "Zoë", "Jürgen",
	"Mary", "Omar", "Aiko", "Paweł", "Ingrid", "Chidi", "Noor", "Luis",
}

var lastNames = []string{
	"Lark", "Moss", "Reed", "Stone", "Vale", "Brook", "Hale", "Wren", "Ash", "Birch", "Frost", "Dale", "Marsh", "Pike",
}

// mailDomains are reserved by RFC 2606.
var mailDomains = []string{"example.com", "example.org", "example.net"}

// Sections is the closed list of sections.
var Sections = []string{"news", "sport", "culture", "video", "shop", "help", "weather", "account"}

var agents = map[string]string{
	"mobile":  "Mozilla/5.0 (Linux; Android 15; Mobile) AppleWebKit/537.36 Chrome/134.0 Mobile Safari/537.36",
	"desktop": "Mozilla/5.0 (X11; Linux x86_64; rv:136.0) Gecko/20100101 Firefox/136.0",
	"tablet":  "Mozilla/5.0 (iPad; CPU OS 18_3 like Mac OS X) AppleWebKit/605.1.15 Version/18.3 Safari/604.1",
}
