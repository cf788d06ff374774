// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/throngdp/throng/anonymize/detect"
)

// plainName is what the name of a column may look like to be printed. What else stands in a header, or is a
// name in JSON, may be a value.
var plainName = regexp.MustCompile(`^[\p{L}_$@#][\p{L}\p{M}\p{N}_.:$@#()/ -]{0,62}$`)

// shown reports whether a column's name may be printed and written.
func shown(name string) bool {
	return plainName.MatchString(name) && !valueLike(name)
}

// maxIndex is the most digits that a part of a name may have where it is a number alone, as in item.12.
const maxIndex = 2

// valueLike reports whether a name looks like a value.
func valueLike(name string) bool {
	if strings.TrimSpace(name) == "" {
		return false
	}
	// In JSON an object may have a member for each user, day or the like.
	if parts := strings.Split(name, "."); len(parts) > 1 && slices.ContainsFunc(parts, func(p string) bool { return len(p) > maxIndex && valueLike(p) }) {
		return true
	}
	t := traitsOf([]byte(name))
	const values = 1<<isNumber | 1<<isDate | 1<<isInstant | 1<<isCLF | 1<<isURL | 1<<isPath | 1<<isAgent | 1<<isLong
	return t.kind != 0 && t.kind != detect.Person || t.forms&values != 0
}

// words takes a name apart: userId, user_id and user-id are user and id.
func words(name string) []string {
	var b strings.Builder
	last := rune(0)
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			b.WriteByte(' ')
		}
		last = r
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			r = ' '
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.Fields(b.String())
}

// vocabulary are words of names, as sources that many people have spell them.
var vocabulary = map[string][]string{
	"person": {"user", "visitor", "customer", "cust", "member", "student", "subscriber", "patient", "client", "account", "person",
		"respondent", "reader", "viewer", "employee", "pseudo", "anonymous", "usuario", "utilisateur", "kunde", "buyer"},
	"id": {"id", "ids", "uid", "uuid", "guid", "key", "nr", "number", "visid", "buyeruid"},
	"personid": {"userid", "uid", "visitorid", "customerid", "memberid", "studentid", "subscriberid", "patientid", "clientid", "accountid",
		"personid", "respondentid", "pid", "mcvisid", "idvisitor", "visid", "anonymousid", "buyeruid"},
	"device":  {"device", "cookie", "ifa", "idfa", "gaid", "aaid", "advertising", "fingerprint", "config"},
	"thing":   {"session", "event", "message", "site", "page", "product", "order", "item", "request", "visit", "transaction", "campaign", "course", "app", "bike", "station", "sessionid", "sessionidx"},
	"contact": {"email", "mail", "phone", "tel", "telephone", "mobile", "fax", "ip", "ipaddress", "address", "street", "ssn", "passport", "iban", "card", "zip", "zipcode", "postcode", "postal", "lat", "lon", "lng", "latitude", "longitude", "surname", "lastname", "firstname", "fullname", "username", "nickname", "login", "password", "secret", "token"},
	"named":   {"first", "last", "full", "family", "given", "user", "customer", "member", "nick", "display", "middle", "maiden", "sur"},
	"birth":   {"birth", "birthday", "birthdate", "birthyear", "yob", "dob", "born", "nacimiento", "naissance", "geburtsjahr", "geburtsdatum"},
	"age":     {"age", "edad", "alter"},
	"gender":  {"gender", "sex", "genero", "género", "geschlecht", "sexe"},
	"place":   {"country", "region", "city", "state", "metro", "land", "pays", "ciudad"},
	"person attribute": {"gender", "sex", "genero", "género", "geschlecht", "age", "education", "income", "occupation", "marital", "birth",
		"yob", "language"},
	"parental": {"parental", "parent", "parents", "guardian"},
	"out":      {"optout", "unsubscribe", "unsubscribed", "lmt", "objection", "objected", "suppressed", "suppress"},
	"consent":  {"consent", "consents", "optin", "agree", "agreed", "agreement", "permission", "accept", "accepted", "ok", "allowed"},
	"special": {"religion", "faith", "health", "disability", "disabled", "ethnic", "ethnicity", "race", "orientation", "political", "politics", "union",
		"diagnosis", "disease", "illness", "biometric", "genetic", "pregnant", "pregnancy", "medical"},
	"amount": {"sum", "count", "clicks", "click", "seconds", "secs", "duration", "dwell", "amount", "price", "revenue", "bytes", "size", "total", "score", "quantity",
		"qty", "views", "value", "spent", "minutes", "ms", "millis", "distance", "weight"},
	"time":  {"time", "timestamp", "ts", "date", "datetime", "day", "at", "tstamp", "when", "hora", "fecha", "datum", "zeit"},
	"agent": {"agent", "useragent", "ua"},
}

// has reports whether a name has a word of a list.
func (c *column) has(list string) bool {
	return slices.ContainsFunc(c.words, func(w string) bool { return slices.Contains(vocabulary[list], w) })
}

// hasWords reports whether a name has all of some words, in order and side by side.
func (c *column) hasWords(want string) bool {
	return strings.Contains(" "+strings.Join(c.words, " ")+" ", " "+want+" ")
}

// is reports whether a name, without what stands between its words, is one of some.
func (c *column) is(names ...string) bool {
	return slices.Contains(names, strings.Join(c.words, ""))
}
