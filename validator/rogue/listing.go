package rogue

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// page answers a listing.
func (p *platform) page(w http.ResponseWriter, r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return refusal{400, "bad query"}
	}
	limit, after := 100, ""
	if text := query.Get("limit"); query.Has("limit") {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > 1000 {
			return refusal{400, "want a limit of 1 to 1,000"}
		}
	}
	if text := query.Get("cursor"); query.Has("cursor") {
		decoded, err := base64.URLEncoding.DecodeString(text)
		if err != nil || len(decoded) == 0 {
			return refusal{400, "bad cursor"}
		}
		after = string(decoded)
	}
	delimiter := query.Get("delimiter")
	if utf8.RuneCountInString(delimiter) > 1 {
		return refusal{400, "want a delimiter of one character"}
	}
	return writeJSON(w, http.StatusOK, p.list(query.Get("prefix"), delimiter, after, limit))
}

// list folds keys by delimiter. After is the last name of the page before.
func (p *platform) list(prefix, delimiter, after string, limit int) map[string]any {
	p.mu.RLock()
	defer p.mu.RUnlock()
	objects, prefixes := []any{}, []string{}
	var cursor *string
	for _, key := range slices.Sorted(maps.Keys(p.objects)) {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		name, folded := key, false
		if at := strings.Index(rest, delimiter); delimiter != "" && at >= 0 {
			name, folded = key[:len(prefix)+at+len(delimiter)], true
		}
		if name <= after {
			continue
		}
		if len(objects)+len(prefixes) == limit {
			text := base64.URLEncoding.EncodeToString([]byte(after))
			cursor = &text
			break
		}
		after = name
		if folded {
			prefixes = append(prefixes, name)
		} else {
			objects = append(objects, p.objects[key].describe(key))
		}
	}
	return map[string]any{"objects": objects, "prefixes": prefixes, "next_cursor": cursor}
}
