// SPDX-License-Identifier: Apache-2.0

package detect

import "bytes"

// personParameters are names of parameters of a URL whose values name a person.
var personParameters = words("name", "fullname", "full_name", "firstname", "first_name", "fname", "lastname", "last_name", "lname", "surname",
	"email", "e-mail", "mail", "user", "username", "user_name", "userid", "user_id", "uid", "login", "customer", "customer_id", "member", "account", "phone", "ssn")

// personFolders are segments of a path after which a person stands, and notPersons what may stand there
// instead.
var (
	personFolders = words("users", "user", "u", "profile", "profiles", "members", "member", "people", "accounts", "customers")
	notPersons    = words("login", "logout", "settings", "new", "edit", "me", "all", "list", "search", "index", "register", "signup", "signin",
		"password", "home", "dashboard", "about", "faq", "help", "overview", "terms", "privacy", "orders", "index.html")
)

// noValues are values that say nothing.
var noValues = words("true", "false", "null", "undefined", "none", "no", "yes")

func words(all ...string) (out [][]byte) {
	for _, w := range all {
		out = append(out, []byte(w))
	}
	return out
}

func isOneOf(t []byte, words [][]byte) bool {
	for _, w := range words {
		if bytes.EqualFold(t, w) {
			return true
		}
	}
	return false
}

// hasPerson reports whether a URL or a handle names a person.
func hasPerson(t []byte) bool {
	if isHandle(t) {
		return true
	}
	for i, c := range t {
		switch {
		case c == '=' && namesPerson(t[:i]) && hasValue(t[i+1:]):
			return true
		case c == '/' && i+2 < len(t) && t[i+1] == '@' && isHandle(segment(t[i+1:])):
			return true
		case c == '/' && leadsToPerson(t[:i]) && isPersonSegment(segment(t[i+1:])):
			return true
		}
	}
	return false
}

// isHandle recognises @name.
func isHandle(t []byte) bool {
	if len(t) < 3 || len(t) > 40 || t[0] != '@' || !isAlnum(t[1]) {
		return false
	}
	letters := 0
	for _, c := range t[1:] {
		if !isWord(c) && c != '.' && c != '-' {
			return false
		}
		if isLetter(c) {
			letters++
		}
	}
	return letters > 0
}

// namesPerson reports whether a text ends in the name of such a parameter.
func namesPerson(t []byte) bool {
	start := bytes.LastIndexAny(t, "?&;#")
	return start >= 0 && isOneOf(t[start+1:], personParameters)
}

// hasValue reports whether a parameter has a value that says anything.
func hasValue(t []byte) bool {
	if end := bytes.IndexAny(t, "&;#"); end >= 0 {
		t = t[:end]
	}
	return len(t) >= 2 && !isOneOf(t, noValues)
}

// leadsToPerson reports whether the last segment of a path is one after which a person stands.
func leadsToPerson(t []byte) bool {
	start := bytes.LastIndexByte(t, '/')
	return start >= 0 && isOneOf(t[start+1:], personFolders)
}

// segment is the first segment of a path.
func segment(t []byte) []byte {
	if end := bytes.IndexAny(t, "/?#& "); end >= 0 {
		return t[:end]
	}
	return t
}

func isPersonSegment(t []byte) bool {
	return len(t) >= 2 && !isOneOf(t, notPersons) && !bytes.ContainsAny(t, "{}<>*:")
}
