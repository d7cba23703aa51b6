package api

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/memstore"
)

func TestARangeIsAnsweredWithThatPart(t *testing.T) {
	b := newBench(t)
	put := b.do("PUT", "/v1/objects/k", "0123456789", "Content-Type: text/plain")
	for asked, want := range map[string]struct{ content, described string }{
		"bytes=0-0":                    {"0", "bytes 0-0/10"},
		"bytes=2-4":                    {"234", "bytes 2-4/10"},
		"bytes=9-9":                    {"9", "bytes 9-9/10"},
		"bytes=0-9":                    {"0123456789", "bytes 0-9/10"},
		"bytes=0-":                     {"0123456789", "bytes 0-9/10"},
		"bytes=9-":                     {"9", "bytes 9-9/10"},
		"bytes=7-10":                   {"789", "bytes 7-9/10"},
		"bytes=7-99999999999999999999": {"789", "bytes 7-9/10"},
		"bytes=0-9223372036854775807":  {"0123456789", "bytes 0-9/10"},
		"bytes=0007-0008":              {"78", "bytes 7-8/10"},
		"bytes=-1":                     {"9", "bytes 9-9/10"},
		"bytes=-10":                    {"0123456789", "bytes 0-9/10"},
		"bytes=-11":                    {"0123456789", "bytes 0-9/10"},
		"bytes=-99999999999999999999":  {"0123456789", "bytes 0-9/10"},
		"BYTES=1-2":                    {"12", "bytes 1-2/10"},
		"bytes= 1-2 ":                  {"12", "bytes 1-2/10"},
		"bytes=,1-2,":                  {"12", "bytes 1-2/10"},
	} {
		got := b.do("GET", "/v1/objects/k", "", "Range: "+asked)
		require.Equal(t, 206, got.status, asked)
		require.Equal(t, want.content, got.body, asked)
		require.Equal(t, want.described, got.header.Get("Content-Range"), asked)
		require.Equal(t, []string{put.header.Get("ETag"), "text/plain", "bytes"},
			[]string{got.header.Get("ETag"), got.header.Get("Content-Type"), got.header.Get("Accept-Ranges")})
		require.NotEmpty(t, got.header.Get("Last-Modified"))
	}
}

func TestARangeOutsideTheObjectIs416WithTheSize(t *testing.T) {
	b := newBench(t)
	b.do("PUT", "/v1/objects/k", "0123456789")
	b.do("PUT", "/v1/objects/empty", "")
	for _, c := range []struct{ key, asked, described string }{
		{"k", "bytes=10-", "bytes */10"},
		{"k", "bytes=10-20", "bytes */10"},
		{"k", "bytes=-0", "bytes */10"},
		{"k", "bytes=-000", "bytes */10"},
		{"k", "bytes=99999999999999999999-", "bytes */10"},
		{"k", "bytes=99999999999999999998-99999999999999999999", "bytes */10"},
		{"empty", "bytes=0-", "bytes */0"},
		{"empty", "bytes=0-0", "bytes */0"},
		{"empty", "bytes=-0", "bytes */0"},
	} {
		got := b.do("GET", "/v1/objects/"+c.key, "", "Range: "+c.asked)
		b.wantProblem(got, 416)
		require.Equal(t, c.described, got.header.Get("Content-Range"), c.asked)
		require.Empty(t, got.header.Get("ETag"))
	}
	require.Contains(t, b.do("GET", "/v1/objects/k", "", "Range: bytes=10-").body, "The object has 10 bytes")
}

func TestARangeThatCannotBeHonouredIsIgnored(t *testing.T) {
	b := newBench(t)
	b.do("PUT", "/v1/objects/k", "0123456789")
	b.do("PUT", "/v1/objects/empty", "")
	for _, asked := range []string{
		"", "bytes", "bytes=", "bytes=-", "bytes=,", "bytes=a-b", "bytes=1", "bytes=4-3", "bytes=+1-2", "bytes=1-2x", "bytes=0x1-2",
		"bytes=1--2", "bytes=--2", "bytes=1 - 2", "bytes 1-2", "items=1-2", "byte=1-2", "bytes =1-2", "bytes=1-2;3-4", "bytes=1-2,x",
		"bytes=99999999999999999999-99999999999999999998", "bytes=٠-١", "none",
	} {
		got := b.do("GET", "/v1/objects/k", "", "Range: "+asked)
		require.Equal(t, 200, got.status, asked)
		require.Equal(t, "0123456789", got.body, asked)
		require.Empty(t, got.header.Get("Content-Range"), asked)
		require.Equal(t, "bytes", got.header.Get("Accept-Ranges"))
	}
	require.Equal(t, 200, b.do("GET", "/v1/objects/k", "", "Range: bytes=0-1", "Range: items=2-3").status)
	require.Equal(t, 200, b.do("GET", "/v1/objects/empty", "", "Range: bytes=-5").status, "satisfiable, and nothing to describe")
	head := b.do("HEAD", "/v1/objects/k", "", "Range: bytes=0-1")
	require.Equal(t, 200, head.status, "Range is for GET only")
	require.Equal(t, "10", head.header.Get("Content-Length"))
}

// changing is a store in which another client replaces an object whenever
// one has been looked at.
type changing struct {
	*memstore.Store
	contents []string // what the object becomes, one after the other
}

func (c *changing) next(ctx context.Context, key string) {
	if len(c.contents) == 0 {
		return
	}
	if _, err := c.Store.Put(ctx, key, strings.NewReader(c.contents[0]), store.PutOptions{Size: -1}); err != nil {
		panic(err)
	}
	c.contents = c.contents[1:]
}

func (c *changing) Stat(ctx context.Context, key string) (store.Info, error) {
	defer c.next(ctx, key)
	return c.Store.Stat(ctx, key)
}

func (c *changing) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	defer c.next(ctx, key)
	return c.Store.Get(ctx, key, rng)
}

func TestAnAnswerNeverMixesTwoVersions(t *testing.T) {
	versions := []string{"aaaaaaaaaa", "bbb", "cccccccccccccccccccc", "dd", "eeeeeee", "ffffffffff", "g"}
	for _, headers := range [][]string{
		{"Range: bytes=-3"}, {"Range: bytes=-8"}, {"Range: bytes=2-5"}, {"Range: bytes=2-"}, {"Range: bytes=0-0,-1"},
		{"Range: bytes=1-6", `If-Range: "x"`}, {"Range: bytes=-2", `If-None-Match: "x"`}, {`If-None-Match: "x"`}, {},
	} {
		for n := range versions {
			changes := &changing{Store: memstore.New()}
			b := newBench(t, withStore(changes))
			b.do("PUT", "/v1/objects/k", versions[0])
			changes.contents = versions[1 : n+1]
			got := b.do("GET", "/v1/objects/k", "", headers...)
			if got.status == 416 {
				continue
			}
			letter := got.body[:1]
			require.Equal(t, strings.Repeat(letter, len(got.body)), got.body, "%v with %d changes", headers, n)
			whole := ""
			for _, v := range versions {
				if v[:1] == letter {
					whole = v
				}
			}
			if got.status == 200 {
				require.Equal(t, whole, got.body)
				continue
			}
			require.Equal(t, 206, got.status)
			var first, last, size int
			_, err := fmt.Sscanf(got.header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &size)
			require.NoError(t, err)
			require.Equal(t, len(whole), size, "%v with %d changes: the size of another version", headers, n)
			require.Equal(t, last-first+1, len(got.body))
		}
	}
}
