package api

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/memstore"
)

func TestNoFormOfAKeyReachesTheLog(t *testing.T) {
	const key = `Secret dir/é "quoted".txt`
	for _, form := range []string{
		key, fmt.Sprintf("%q", key), url.PathEscape(key), url.QueryEscape(key), (&url.URL{Path: key}).EscapedPath(),
		"/srv/objects/3f/%53ecret%20dir%2f%c3%a9%20%22quoted%22.txt",
	} {
		b := newBench(t, withStore(failing{memstore.New(), errors.New("open " + form + ": input/output error")}))
		got := b.do("GET", "/v1/objects/"+url.PathEscape(key), "")
		require.Equal(t, 500, got.status)
		require.NotContains(t, strings.ToLower(b.log.String()), "ecret", form)
		require.Contains(t, b.log.String(), store.Fingerprint(key))
		require.Contains(t, b.log.String(), "input/output error", "what failed must still be told")
		require.Contains(t, b.log.String(), got.header.Get("Request-Id"))
	}
}

func TestAShortKeyGarblesNoText(t *testing.T) {
	b := newBench(t, withStore(failing{memstore.New(), errors.New(`open "e": no space left on device`)}))
	b.do("GET", "/v1/objects/e", "")
	require.Contains(t, b.log.String(), "open "+store.Fingerprint("e")+": no space left on device")
}
