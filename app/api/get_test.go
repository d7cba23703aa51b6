package api

import (
	"context"
	"fmt"
	"io"
	"mime"
	mimemultipart "mime/multipart"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

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
			content, described := got.body, got.header.Get("Content-Range")
			if parts := partsIn(t, got); parts != nil {
				content, described = "", parts[0].described
				for _, part := range parts {
					content += part.content
				}
			}
			letter := content[:1]
			require.Equal(t, strings.Repeat(letter, len(content)), content, "%v with %d changes", headers, n)
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
			_, err := fmt.Sscanf(described, "bytes %d-%d/%d", &first, &last, &size)
			require.NoError(t, err)
			require.Equal(t, len(whole), size, "%v with %d changes: the size of another version", headers, n)
			if described == got.header.Get("Content-Range") {
				require.Equal(t, last-first+1, len(got.body))
			}
		}
	}
}

type part struct{ mediaType, described, content string }

// partsIn reads an answer with several ranges; nil: it is none.
func partsIn(t *testing.T, got reply) []part {
	mediaType, params, err := mime.ParseMediaType(got.header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/byteranges" {
		return nil
	}
	var parts []part
	reader := mimemultipart.NewReader(strings.NewReader(got.body), params["boundary"])
	for {
		p, err := reader.NextRawPart()
		if err == io.EOF {
			return parts
		}
		require.NoError(t, err)
		content, err := io.ReadAll(p)
		require.NoError(t, err)
		parts = append(parts, part{p.Header.Get("Content-Type"), p.Header.Get("Content-Range"), string(content)})
	}
}

func TestSeveralRangesComeAsParts(t *testing.T) {
	b := newBench(t)
	put := b.do("PUT", "/v1/objects/k", "0123456789", "Content-Type: text/plain", "Bogops-Meta-A: b")
	for asked, want := range map[string][]part{
		"bytes=0-1,5-6":         {{"text/plain", "bytes 0-1/10", "01"}, {"text/plain", "bytes 5-6/10", "56"}},
		"bytes=-2, 0-0":         {{"text/plain", "bytes 8-9/10", "89"}, {"text/plain", "bytes 0-0/10", "0"}},
		"bytes=0-3,2-5":         {{"text/plain", "bytes 0-3/10", "0123"}, {"text/plain", "bytes 2-5/10", "2345"}},
		"bytes=1-1,20-30,2-2,,": {{"text/plain", "bytes 1-1/10", "1"}, {"text/plain", "bytes 2-2/10", "2"}},
		"bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7": {
			{"text/plain", "bytes 0-0/10", "0"}, {"text/plain", "bytes 1-1/10", "1"}, {"text/plain", "bytes 2-2/10", "2"}, {"text/plain", "bytes 3-3/10", "3"},
			{"text/plain", "bytes 4-4/10", "4"}, {"text/plain", "bytes 5-5/10", "5"}, {"text/plain", "bytes 6-6/10", "6"}, {"text/plain", "bytes 7-7/10", "7"},
		},
	} {
		got := b.do("GET", "/v1/objects/k", "", "Range: "+asked, "Want-Repr-Digest: sha-256=1")
		require.Equal(t, 206, got.status, asked)
		require.Equal(t, want, partsIn(t, got), asked)
		require.Empty(t, got.header.Get("Content-Range"), "RFC 9110, section 15.3.7.2")
		require.Equal(t, []string{put.header.Get("ETag"), strconv.Itoa(len(got.body)), "b", sum256("0123456789")},
			[]string{got.header.Get("ETag"), got.header.Get("Content-Length"), got.header.Get("Bogops-Meta-A"), got.header.Get("Repr-Digest")})
	}
	one := b.do("GET", "/v1/objects/k", "", "Range: bytes=1-2,20-30")
	require.Equal(t, "12", one.body, "one part left is no multipart")
	require.Equal(t, "bytes 1-2/10", one.header.Get("Content-Range"))
	for _, asked := range []string{
		"bytes=0-9,0-0", "bytes=0-,0-", "bytes=-10,-1", "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8", "bytes=0-0,x",
	} {
		got := b.do("GET", "/v1/objects/k", "", "Range: "+asked)
		require.Equal(t, 200, got.status, "%s: more is sent than the object has, or asked for in more pieces than is served", asked)
		require.Equal(t, "0123456789", got.body)
	}
	got := b.do("GET", "/v1/objects/k", "", "Range: bytes=10-,-0,99-100")
	b.wantProblem(got, 416)
	require.Equal(t, "bytes */10", got.header.Get("Content-Range"))
}

// torn is a store that cannot read the end of an object.
type torn struct{ *memstore.Store }

func (s torn) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	body, info, err := s.Store.Get(ctx, key, rng)
	if err == nil && rng.Offset >= info.Size/2 {
		body = io.NopCloser(iotest.ErrReader(store.ErrUnavailable))
	}
	return body, info, err
}

func TestPartsThatTheStoreCannotReadAreNoAnswer(t *testing.T) {
	b := newBench(t, withStore(torn{memstore.New()}), func(c *Config) { c.Limits.Object = 1 << 20 })
	b.do("PUT", "/v1/objects/k", strings.Repeat("x", 1<<20))
	for _, asked := range []string{
		"bytes=0-0,1000000-1000000", // short: read before the answer begins
		"bytes=524288-,0-0",         // long, and fails with the answer's first byte
	} {
		got := b.do("GET", "/v1/objects/k", "", "Range: "+asked)
		b.wantProblem(got, 503)
	}
	require.Equal(t, 206, b.do("GET", "/v1/objects/k", "", "Range: bytes=0-0,5-9").status)
}
