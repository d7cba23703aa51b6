package api

import "strings"

// parseTags splits a list of entity tags (RFC 9110, section 8.8.3), or takes
// "*" alone. A comma may stand inside a tag, so it goes from quote to quote.
func parseTags(list string) ([]string, bool) {
	rest := strings.Trim(list, " \t")
	if rest == "*" {
		return []string{"*"}, true
	}
	var tags []string
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			return tags, len(tags) > 0
		}
		tag, after, ok := cutTag(rest)
		if !ok {
			return nil, false
		}
		tags = append(tags, tag)
		rest = strings.TrimLeft(after, " \t")
		if rest != "" && rest[0] != ',' {
			return nil, false
		}
	}
}

// cutTag cuts the entity tag off that text begins with.
func cutTag(text string) (tag, after string, ok bool) {
	opaque := strings.TrimPrefix(text, "W/")
	if !strings.HasPrefix(opaque, `"`) {
		return "", "", false
	}
	for i, c := range []byte(opaque[1:]) {
		switch {
		case c == '"':
			end := len(text) - len(opaque) + 1 + i + 1
			return text[:end], text[end:], true
		case c <= ' ' || c == 0x7f:
			return "", "", false
		}
	}
	return "", "", false
}

// matches says whether a list names an object's strong tag. Strongly, as a
// write or a range needs it, a weak tag names nothing; weakly, as a cache
// needs it, only what stands in the quotes counts (RFC 9110, section 8.8.3.2).
func matches(tags []string, etag string, weakly bool) bool {
	for _, tag := range tags {
		if weakly {
			tag = strings.TrimPrefix(tag, "W/")
		}
		if tag == "*" || tag == etag {
			return true
		}
	}
	return false
}
