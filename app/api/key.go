package api

import (
	"net/url"
	"strings"

	"bogops/app/store"
)

// parseKey decodes a key from the path as it was sent, exactly once, and
// refuses what is no key. `a%2Fb` and `a/b` are the same key, `a//b` is
// another, and a plus is a plus.
func parseKey(escaped string) (string, error) {
	key, err := url.PathUnescape(escaped)
	if err != nil {
		return "", refuse(store.ErrBadKey, "Bad key: a %% is not followed by two hex digits.")
	}
	return key, checkKey(key)
}

func checkKey(key string) error {
	if err := store.CheckKey(key); err != nil {
		return refuse(err, "%s", sentence(err))
	}
	// Never resolved, also when escaped: whoever sends one either made a
	// mistake or looks for a way out of the store.
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "." || segment == ".." {
			return refuse(store.ErrBadKey, "Bad key: it has %q as a segment.", segment)
		}
	}
	return nil
}

// location is the path under which key is served.
func location(key string) string {
	return (&url.URL{Path: "/v1/objects/" + key}).EscapedPath()
}
