// SPDX-License-Identifier: Apache-2.0

// Package identity turns privacy ids into what the engine counts by: one canonical spelling per
// person ([Kind.Append]), a keyed hash of it ([Secret], [Hasher]), and one hash for all ids that a table of
// links calls one person's ([Linker], [Links]).
//
// # Guarantee
//
// Spellings of an id that the kind calls the same become the same bytes, so that one person is one
// privacy unit and the bounds hold for all of it. Ids that stand for nobody are dropped, so that they
// are neither many people nor a single huge one. Whoever lacks the secret can neither compute nor
// test a hash, and two domains (fields, data sets, runs) have no hash in common.
//
// # Kinds
//
//   - opaque: byte-exact, case and spaces included. An integer is its decimal text, so that a column
//     of integers and its CSV text are the same people; a float only where it is a whole number below
//     2^53. Bytes that are not UTF-8 are kept.
//   - email: trimmed, without invisible characters, full-width forms and case: the whole address is
//     case-folded (ß is ss), the Turkish dotless and dotted i are i, a trailing dot of the domain and
//     the local part from its first "+" on are cut. Dots in the local part count, as do aliases of a
//     provider's domain, and the xn-- spelling of a domain is not its Unicode spelling.
//   - phone: the E.164 digits of a number that begins with + or 00 (or tel:+), separators and "(0)"
//     cut, digits of any script. A number without its country code is dropped: two countries may use
//     it for two people. Keep such columns as opaque.
//   - uuid: 16 bytes from hexadecimal digits with or without dashes, braces or urn:uuid:, or from 16
//     raw bytes. The nil and the max UUID are dropped.
//   - ip: 4 or 16 bytes. IPv4 inside IPv6 (::ffff:192.0.2.1) is IPv4; zones and ports are cut. An
//     address is not a person; the policy should say why it is used as one.
//   - int: the decimal digits without leading zeros and plus sign, digits of any script, within int64.
//     A text with a point ("1984.0") is dropped.
//
// # Dropped ids
//
// Dropped by every kind: null, white space alone, and, with white space cut and in any case, the
// words null, <null>, (null), nil, <nil>, none, (none), undefined, unknown, anonymous, n/a, nan,
// (not set) and \N; and whatever consists only of zeros, NUL bytes and the signs - . : { and }, such as 0, -, 0.0,
// 0.0.0.0, :: and an all-zero UUID or advertising id. So a person whose real id is 0 cannot be
// counted: renumber the data. Booleans, timestamps and texts of more than 4096 bytes are no ids.
//
// # Not protected
//
// A person with two unrelated ids is two units unless links make them one; links.md says what then is the
// unit, and what the cap and links that come late or go cost. Merging goes the other way: two people who
// share an address are one unit, which weakens the statistics, not the privacy.
package identity
