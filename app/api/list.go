package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"bogops/app/admit"
	"bogops/app/store"
)

// How many entries a page of a listing holds (CHALLENGE.md, section 1).
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// listedLen is what an entry of a page takes in memory at most, in bytes: a
// long key, once as the store gives it and once as text.
const listedLen = 4 << 10

// listing is the JSON of one page.
type listing struct {
	Objects    []stored `json:"objects"`
	Prefixes   []string `json:"prefixes"`
	NextCursor *string  `json:"next_cursor"`
}

// list answers with one page of the keys in byte order.
func (o *objects) list(c *gin.Context) error {
	opts, err := parseListing(c.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	held, err := o.gate.Hold(admit.Large, int64(opts.Limit)*listedLen)
	if err != nil {
		return err
	}
	defer o.gate.Free(held)
	page, err := o.store.List(c.Request.Context(), opts)
	if err != nil {
		return err
	}
	answer := listing{Objects: make([]stored, 0, len(page.Objects)), Prefixes: page.Prefixes}
	for _, info := range page.Objects {
		answer.Objects = append(answer.Objects, describe(info))
	}
	if answer.Prefixes == nil {
		answer.Prefixes = []string{} // null is not an empty list
	}
	if page.More {
		last := page.Last()
		if last == "" || last <= opts.After {
			return errors.New("the store has more entries and did not advance")
		}
		cursor := formatCursor(opts, last)
		answer.NextCursor = &cursor
	}
	text, err := marshal(answer)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	c.Header("Content-Type", "application/json; charset=utf-8")
	c.Header("Content-Length", strconv.Itoa(text.Len()))
	return o.stream(c, http.StatusOK, text.WriteTo, nil)
}

// marshal leaves <, > and & in keys as they are: the answer is no page.
func marshal(v any) (*bytes.Buffer, error) {
	text := &bytes.Buffer{}
	encoder := json.NewEncoder(text)
	encoder.SetEscapeHTML(false)
	return text, encoder.Encode(v)
}

// parseListing reads the query of a listing. An empty prefix, delimiter or
// cursor is one that was not given: clients fill in the whole form.
func parseListing(rawQuery string) (store.ListOptions, error) {
	opts := store.ListOptions{Limit: defaultLimit}
	if err := refuseProcess(rawQuery, ", not with a listing"); err != nil {
		return opts, err
	}
	given, err := parameters(rawQuery, "prefix", "delimiter", "limit", "cursor")
	if err != nil {
		return opts, err
	}
	for name, value := range given {
		if given[name], err = url.PathUnescape(value); err != nil {
			return opts, errEscape()
		}
	}
	opts.Prefix, opts.Delimiter = given["prefix"], given["delimiter"]
	if opts.Prefix != "" && store.CheckKey(opts.Prefix) != nil {
		return opts, refuse(errBadRequest,
			"prefix is %s; want at most 1,024 bytes of UTF-8 without control characters.", shown(opts.Prefix))
	}
	if d := opts.Delimiter; d != "" && (utf8.RuneCountInString(d) != 1 || store.CheckKey(d) != nil) {
		return opts, refuse(errBadRequest, "delimiter is %s; want one character that a key may hold.", shown(d))
	}
	if limit, ok := given["limit"]; ok {
		if opts.Limit, ok = parseLimit(limit); !ok {
			return opts, refuse(errBadRequest, "limit is %s; want a whole number from 1 to 1000.", shown(limit))
		}
	}
	if cursor := given["cursor"]; cursor != "" {
		after, ok := parseCursor(opts, cursor)
		if !ok {
			return opts, refuse(errBadRequest,
				"cursor is %s; want the next_cursor of a page with the same prefix and delimiter.", shown(cursor))
		}
		opts.After = after
	}
	return opts, nil
}

// parseLimit takes decimal digits without sign or leading zero.
func parseLimit(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && 1 <= n && n <= maxLimit && strconv.Itoa(n) == text
}
