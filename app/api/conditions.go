package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"bogops/app/store"
)

// conditions are what a PUT or DELETE asks of the object it would change.
type conditions struct {
	ifAbsent bool
	ifMatch  []string // entity tags as sent, or "*" alone; nil: no condition
}

// parseConditions reads the conditions of a write (RFC 9110, section 13). One
// that the API does not know is refused, never ignored: whoever sends it
// counts on it to keep an object from being overwritten.
func parseConditions(r *http.Request) (conditions, error) {
	var cond conditions
	match, noneMatch := r.Header.Values("If-Match"), r.Header.Values("If-None-Match")
	switch {
	case match != nil && noneMatch != nil:
		return cond, refuse(errBadRequest, "If-Match and If-None-Match are both given; want one of them.")
	case r.Header.Get("If-Unmodified-Since") != "":
		return cond, refuse(errBadRequest, "If-Unmodified-Since does not go with %s; use If-Match.", r.Method)
	case r.Header.Get("Content-Range") != "":
		return cond, refuse(errBadRequest, "Content-Range does not go with %s: an object is written whole.", r.Method)
	case noneMatch != nil:
		if r.Method != http.MethodPut || strings.Join(noneMatch, ",") != "*" {
			return cond, refuse(errBadRequest, "If-None-Match goes with PUT, and there only as *.")
		}
		cond.ifAbsent = true
	}
	var err error
	cond.ifMatch, err = tagsOf(r.Header, "If-Match")
	return cond, err
}

// tagsOf reads a header that is a list of entity tags; nil: it is not there.
func tagsOf(header http.Header, name string) ([]string, error) {
	values := header.Values(name)
	if len(values) == 0 {
		return nil, nil
	}
	tags, ok := parseTags(strings.Join(values, ","))
	if !ok {
		return nil, refuse(errBadRequest, "%s is %s; want a list of entity tags in quotes, or *.", name, shown(strings.Join(values, ",")))
	}
	return tags, nil
}

// resolveMatch turns the tags of If-Match into the one that the store compares
// atomically. Weak tags never match. Of several, the one that the object has
// now is taken: should it change meanwhile, the store's comparison fails.
func (o *objects) resolveMatch(ctx context.Context, key string, tags []string) (string, error) {
	if tags == nil {
		return "", nil
	}
	var strong []string
	for _, tag := range tags {
		if !strings.HasPrefix(tag, "W/") {
			strong = append(strong, tag)
		}
	}
	switch len(strong) {
	case 0:
		return "", store.ErrCondition
	case 1:
		return strong[0], nil
	}
	info, err := o.store.Stat(ctx, key)
	switch {
	case absent(err):
		// Left to the conditional write to fail on: that is a 412, not a 404.
		return strong[0], nil
	case err != nil:
		return "", err
	case !matches(strong, info.ETag, false):
		return "", store.ErrCondition
	}
	return info.ETag, nil
}

// preconditions are what a GET or HEAD asks of the object it would read.
type preconditions struct {
	match, noneMatch             []string // nil: no condition
	unmodifiedSince, changeSince time.Time
}

// parsePreconditions refuses a malformed list of tags; a malformed date, or
// one of two, is ignored, as RFC 9110, sections 13.1.3 and 13.1.4, demands.
func parsePreconditions(header http.Header) (p preconditions, err error) {
	if p.match, err = tagsOf(header, "If-Match"); err != nil {
		return p, err
	}
	if p.noneMatch, err = tagsOf(header, "If-None-Match"); err != nil {
		return p, err
	}
	p.unmodifiedSince = dateOf(header, "If-Unmodified-Since")
	p.changeSince = dateOf(header, "If-Modified-Since")
	return p, nil
}

// dateOf is the zero time where the header is not one valid date.
func dateOf(header http.Header, name string) time.Time {
	values := header.Values(name)
	if len(values) != 1 {
		return time.Time{}
	}
	date, err := http.ParseTime(values[0])
	if err != nil {
		return time.Time{}
	}
	return date
}

// check goes through the conditions in the order of RFC 9110, section 13.2.2.
// It returns store.ErrCondition where the answer is 412, and unchanged where
// it is 304. A date without a list of tags counts in whole seconds, as
// Last-Modified does.
func (p preconditions) check(info store.Info) (unchanged bool, err error) {
	modified := info.Modified.Truncate(time.Second)
	switch {
	case p.match != nil:
		if !matches(p.match, info.ETag, false) {
			return false, store.ErrCondition
		}
	case !p.unmodifiedSince.IsZero() && modified.After(p.unmodifiedSince):
		return false, store.ErrCondition
	}
	if p.noneMatch != nil {
		return matches(p.noneMatch, info.ETag, true), nil
	}
	return !p.changeSince.IsZero() && !modified.After(p.changeSince), nil
}

// missing is the error for an object that is not there, which no list of
// If-Match names. That comes first in the contract's order of errors.
func (p preconditions) missing(err error) error {
	if p.match != nil && absent(err) {
		return store.ErrCondition
	}
	return err
}
