package api

import (
	"encoding/base64"
	"strings"
)

// member is one member of a dictionary of structured fields. Its item is as it
// was sent, parameters left out; empty: the key stood alone.
type member struct{ key, item string }

// parseDictionary reads a dictionary (RFC 9651, section 4.2.2) of bare items.
// Inner lists, dates and display strings have no place in the headers of this
// API and count as malformed.
func parseDictionary(text string) (members []member, ok bool) {
	rest := strings.Trim(text, " ")
	for rest != "" {
		var m member
		if m.key, m.item, rest, ok = cutPair(rest); !ok {
			return nil, false
		}
		members = append(members, m)
		for strings.HasPrefix(rest, ";") {
			if _, _, rest, ok = cutPair(strings.TrimLeft(rest[1:], " ")); !ok {
				return nil, false
			}
		}
		if rest = strings.TrimLeft(rest, " \t"); rest == "" {
			break
		}
		more, comma := strings.CutPrefix(rest, ",")
		if rest = strings.TrimLeft(more, " \t"); !comma || rest == "" {
			return nil, false
		}
	}
	return members, true
}

// cutPair cuts a key, and the item behind it if there is one, off the front.
func cutPair(text string) (key, item, rest string, ok bool) {
	n := prefixOf(text, "abcdefghijklmnopqrstuvwxyz*0123456789_-.")
	if n == 0 || strings.IndexByte("0123456789_-.", text[0]) >= 0 {
		return "", "", "", false
	}
	key, rest = text[:n], text[n:]
	if !strings.HasPrefix(rest, "=") {
		return key, "", rest, true
	}
	rest = rest[1:]
	n = itemLen(rest)
	return key, rest[:n], rest[n:], n > 0
}

const (
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// itemLen is the length of the bare item that text begins with; 0: none.
func itemLen(text string) int {
	if text == "" {
		return 0
	}
	switch c := text[0]; {
	case c == ':':
		n := prefixOf(text[1:], letters+digits+"+/=")
		if strings.HasPrefix(text[1+n:], ":") {
			return n + 2
		}
		return 0
	case c == '"':
		return stringLen(text)
	case c == '?':
		if strings.HasPrefix(text, "?0") || strings.HasPrefix(text, "?1") {
			return 2
		}
		return 0
	case c == '-' || '0' <= c && c <= '9':
		n := 1 + prefixOf(text[1:], digits+".")
		if !isNumber(text[:n]) {
			return 0
		}
		return n
	case c == '*' || strings.IndexByte(letters, c) >= 0:
		return prefixOf(text, letters+digits+"!#$%&'*+-.^_`|~:/")
	}
	return 0
}

// isNumber is section 4.2.4: an integer of 1 to 15 digits, or a decimal of 1
// to 12 digits, a point and 1 to 3 digits.
func isNumber(text string) bool {
	whole, part, point := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	switch {
	case !isDigits(whole) || !isDigits(part) || whole == "":
		return false
	case point:
		return len(whole) <= 12 && 1 <= len(part) && len(part) <= 3
	}
	return len(whole) <= 15
}

func stringLen(text string) int {
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return i + 1
		case c < ' ' || c > '~':
			return 0
		case c == '\\':
			if i++; i == len(text) || text[i] != '"' && text[i] != '\\' {
				return 0
			}
		}
	}
	return 0
}

// prefixOf is how many bytes of text, from its first on, are among set.
func prefixOf(text, set string) int {
	return len(text) - len(strings.TrimLeft(text, set))
}

// byteSequence decodes an item of the form :BASE64: and, as section 4.2.7 asks
// of parsers, does not insist on padding.
func byteSequence(item string) ([]byte, bool) {
	if len(item) < 2 || item[0] != ':' {
		return nil, false
	}
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(item[1:len(item)-1], "="))
	return raw, err == nil
}
