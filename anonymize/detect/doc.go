// SPDX-License-Identifier: Apache-2.0

// Package detect tells whether a text looks like something that identifies a person: [KindOf] for one
// text, [Column] for the texts of a column. It serves two guards: a warning before a column of an
// input is used as a dimension, and a refusal of a label that is about to leave.
//
// # Kinds
//
//   - email: an address anywhere in the text, also percent-encoded up to three times.
//   - phone: a plus sign, a country code of the ITU and 9 to 15 digits; 00 likewise, with separators;
//     numbers of North America, of France and of countries with a leading 0, with separators; and
//     digits after the words tel, phone, mobile and whatsapp. Bare national digits are not called one.
//   - ip: IPv4 and IPv6 addresses. Loopback, unspecified and multicast addresses and net masks are
//     none, a network such as 203.0.113.0/24 is none, nor is a version: four numbers below 10, or
//     numbers after the name of a product or the word version.
//   - iban: length of the country and remainder modulo 97.
//   - card: lengths and first digits of the issuers, and the check digit (Luhn). Of numbers that only
//     look like one, one in ten has the right check digit.
//   - national id: US SSN (with separators), UK NINO, Germany (Steuer-ID), France (NIR), Spain (DNI,
//     NIE), Italy (codice fiscale), Poland (PESEL), Brazil (CPF, with separators), Switzerland (AHV). All but
//     the first two have check digits.
//   - device id: a UUID, such as an advertising id, and a MAC address. The nil and the max UUID are none.
//   - jwt: three parts in base64url, of which two are JSON objects.
//   - token: a word of 16 or more hexadecimal digits or 20 or more letters and digits, mixed as a random
//     source mixes them: session ids, hashes, click ids. The hash in the name of a script, a style sheet
//     or a picture is none.
//   - coordinates: a latitude and a longitude with four decimals (11 m) or more.
//   - birth date: a date after a word such as born.
//   - person: in a URL, a parameter such as name, email or user with a value, the segment after /users/,
//     /u/, /profile/ and their like, and a handle such as /@name; also a handle alone.
//
// # Spellings
//
// Before anything else a text is brought into plain characters: compatibility forms (full-width,
// superscript, mathematical) and digits of any script become ASCII, characters that nobody sees
// and accents are cut, dashes and spaces become one kind, and Greek and Cyrillic letters that look like
// Latin ones become those. Bytes that are not UTF-8 are cut.
//
// # Guarantee
//
// [KindOf] is a pure function of the text, allocates nothing (a text with characters beyond ASCII of
// more than 1 KiB aside), takes time linear in its length and never panics. Nothing that the
// package returns or prints holds any part of a text.
//
// # Not protected
//
// Silence proves nothing. Names, street addresses and rare facts in prose are not found, nor are ids
// that look like a plain number or a word, and texts are read up to 64 KiB. A report about a column
// is a fact about raw data, without noise: it is for the data's owner, and must not reach a partner.
//
// # Compatibility
//
// What counts as a kind may change with any release: a guard must not decide what is counted.
package detect
