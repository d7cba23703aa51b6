package api

import (
	"context"
	"net/http"
	"strings"

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
	case match != nil:
		tags, ok := parseTags(strings.Join(match, ","))
		if !ok {
			return cond, refuse(errBadRequest, "If-Match is no list of entity tags and not *.")
		}
		cond.ifMatch = tags
	}
	return cond, nil
}

// parseTags splits a list of entity tags. A comma may stand inside a tag, so
// it goes from quote to quote.
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
		opaque := strings.TrimPrefix(rest, "W/")
		weak := rest[:len(rest)-len(opaque)]
		if !strings.HasPrefix(opaque, `"`) {
			return nil, false
		}
		end := strings.IndexByte(opaque[1:], '"')
		if end < 0 {
			return nil, false
		}
		tags = append(tags, weak+opaque[:end+2])
		rest = strings.TrimLeft(opaque[end+2:], " \t")
		if rest != "" && rest[0] != ',' {
			return nil, false
		}
	}
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
	if err != nil {
		return strong[0], ignoreMissing(err)
	}
	for _, tag := range strong {
		if tag == info.ETag {
			return tag, nil
		}
	}
	return "", store.ErrCondition
}

// ignoreMissing leaves it to the conditional write to fail on a missing key:
// that is a 412, not a 404.
func ignoreMissing(err error) error {
	if outcomeOf(err).err == store.ErrNotFound {
		return nil
	}
	return err
}
