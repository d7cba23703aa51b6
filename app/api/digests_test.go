package api

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/memstore"
)

func sum256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

func sum512(text string) string {
	sum := sha512.Sum512([]byte(text))
	return "sha-512=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

func TestABodyThatMatchesItsDigestIsStored(t *testing.T) {
	b := newBench(t)
	for i, headers := range [][]string{
		{"Content-Digest: " + sum256("body")},
		{"Content-Digest: " + sum512("body")},
		{"Content-Digest: " + sum256("body") + "," + sum512("body")},
		{"Content-Digest: " + sum256("body"), "Content-Digest: " + sum512("body")},
		{"Content-Digest: md5=:AAAA:, " + sum256("body") + `;a=1;b="x;\"",unixsum=30637,crc32c=:AAAA:`},
		{"Content-Digest: " + strings.TrimRight(sum256("body"), "=:") + ":"}, // no padding
		{"Content-Digest: " + sum256("body") + " ,\t" + sum256("body")},
		{"Repr-Digest: " + sum256("body")},
		{"Repr-Digest: " + sum256("body"), "Content-Digest: " + sum512("body")},
		{"Content-Digest:"},
		{"Content-Digest: md5=:AAAA:"},
	} {
		key := fmt.Sprintf("/v1/objects/%d", i)
		got := b.do("PUT", key, "body", headers...)
		require.Equal(t, 201, got.status, "%v: %s", headers, got.body)
		require.Equal(t, "body", b.do("GET", key, "").body)
	}
	require.Equal(t, 201, b.do("PUT", "/v1/objects/empty", "", "Content-Digest: "+sum256("")+","+sum512("")).status)
}

func TestABodyThatDoesNotMatchIsRefusedAndNothingIsStored(t *testing.T) {
	b := newBench(t)
	for _, key := range []string{"new", "old"} {
		for _, headers := range [][]string{
			{"Content-Digest: " + sum256("another")},
			{"Content-Digest: " + sum512("another")},
			{"Repr-Digest: " + sum256("another")},
			{"Content-Digest: " + sum256("body") + "," + sum512("another")},
			{"Content-Digest: " + sum256("another") + "," + sum512("body")},
			{"Content-Digest: " + sum256("body"), "Repr-Digest: " + sum256("another")},
			{"Content-Digest: " + sum256("another") + "," + sum256("body")},
			{"Content-Digest: " + sum256("")},
			{"Content-Digest: sha-256=:AAAA:"},
			{"Content-Digest: sha-256=::"},
			{"Content-Digest: sha-256=:A:"},
			{"Content-Digest: sha-256"},
			{"Content-Digest: sha-256=1"},
			{"Content-Digest: sha-256=" + strings.Repeat("A", 43) + "="},
			{"Content-Digest: sha-256=" + strings.Repeat("0", 64)},
			{"Content-Digest: " + sum256("body") + ","},
			{"Content-Digest: " + sum256("body") + sum256("body")},
			{"Content-Digest: SHA-256=:AAAA:"},
			{"Content-Digest: sha-256=(:AAAA:)"},
			{"Content-Digest: md5=:AAAA"},
			{"Content-Digest: ="},
			{"Content-Digest: sha-512=:AAAA:"},
		} {
			b.do("PUT", "/v1/objects/old", "as it was")
			got := b.do("PUT", "/v1/objects/"+key, "body", headers...)
			b.wantProblem(got, 400)
			require.Equal(t, 404, b.do("HEAD", "/v1/objects/new", "").status, "%v", headers)
			require.Equal(t, "as it was", b.do("GET", "/v1/objects/old", "").body, "%v", headers)
		}
	}
	for _, header := range []string{sum256("another"), sum512("another")} {
		p := b.wantProblem(b.do("PUT", "/v1/objects/new", "body", "Content-Digest: "+header), 400)
		require.Equal(t, "The body does not match its digest; nothing was stored.", p.Detail)
	}
}

// forgetful is a store that keeps no digests.
type forgetful struct{ *memstore.Store }

func (f forgetful) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	body, info, err := f.Store.Get(ctx, key, rng)
	info.SHA256 = nil
	return body, info, err
}

func (f forgetful) Stat(ctx context.Context, key string) (store.Info, error) {
	info, err := f.Store.Stat(ctx, key)
	info.SHA256 = nil
	return info, err
}

func TestReprDigestIsGivenWhereItIsWanted(t *testing.T) {
	for _, s := range []store.Store{memstore.New(), forgetful{memstore.New()}} {
		b := newBench(t, withStore(s))
		b.do("PUT", "/v1/objects/k", "hello")
		for wanted, given := range map[string]bool{
			"sha-256=10": true, "sha-256=1": true, "sha-512=10, sha-256=3": true, "sha-256=5;q=1": true, "sha-256=0, sha-256=2": true,
			"sha-256=0": false, "sha-256=11": false, "sha-256=-1": false, "sha-256": false, "sha-256=1.0": false, "sha-256=?1": false,
			"sha-512=10": false, "": false, "sha-256=1,": false, "SHA-256=1": false, "sha-256=10 sha-512=1": false, "sha-256=2, sha-256=0": false,
		} {
			for _, c := range []struct {
				method, more string
				status       int
			}{{"GET", "X: y", 200}, {"HEAD", "X: y", 200}, {"GET", "Range: bytes=1-2", 206}, {"GET", "Range: bytes=-1", 206}} {
				got := b.do(c.method, "/v1/objects/k", "", "Want-Repr-Digest: "+wanted, c.more)
				require.Equal(t, c.status, got.status)
				want := ""
				if given {
					want = sum256("hello") // of the whole object, whatever part is sent
				}
				require.Equal(t, want, got.header.Get("Repr-Digest"), "%s %s with %q", c.method, c.more, wanted)
			}
		}
		require.Empty(t, b.do("GET", "/v1/objects/k", "").header.Get("Repr-Digest"))
		require.Empty(t, b.do("GET", "/v1/objects/k?process=upper", "", "Want-Repr-Digest: sha-256=1").header.Get("Repr-Digest"))
		require.Equal(t, 404, b.do("GET", "/v1/objects/missing", "", "Want-Repr-Digest: sha-256=1").status)
	}
}

// restless is a forgetful store whose object changes whenever it was looked at.
type restless struct {
	changing
}

func (r *restless) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	body, info, err := r.changing.Get(ctx, key, rng)
	info.SHA256 = nil
	return body, info, err
}

func (r *restless) Stat(ctx context.Context, key string) (store.Info, error) {
	info, err := r.changing.Stat(ctx, key)
	info.SHA256 = nil
	return info, err
}

func TestADigestThatHasToBeReadIsOfTheVersionThatIsSent(t *testing.T) {
	versions := []string{"aaa", "bbb", "ccc", "ddd", "eee", "fff", "ggg", "hhh", "iii", "jjj", "kkk", "lll"}
	for n := range versions {
		for _, method := range []string{"GET", "HEAD"} {
			s := &restless{changing{Store: memstore.New()}}
			b := newBench(t, withStore(s))
			b.do("PUT", "/v1/objects/k", versions[0])
			s.contents = versions[1 : n+1]
			got := b.do(method, "/v1/objects/k", "", "Want-Repr-Digest: sha-256=1")
			require.Equal(t, 200, got.status)
			digest := got.header.Get("Repr-Digest")
			if n < 3 {
				require.NotEmpty(t, digest, "%d changes", n)
			}
			if method == "GET" && digest != "" {
				require.Equal(t, sum256(got.body), digest, "%d changes", n)
			}
		}
	}
}

func TestADictionaryIsReadAsItIsDefined(t *testing.T) {
	for text, want := range map[string][]member{
		"":                       nil,
		"a":                      {{"a", ""}},
		"a=1, b=:AA==:;x;y=z":    {{"a", "1"}, {"b", ":AA==:"}},
		`a="x\"\\y" ,*b=*t/:x`:   {{"a", `"x\"\\y"`}, {"*b", "*t/:x"}},
		"a=?1;  b=?0,\tc=-1.250": {{"a", "?1"}, {"c", "-1.250"}},
		"  a_-.*9=tok  ":         {{"a_-.*9", "tok"}},
	} {
		got, ok := parseDictionary(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		",", "a,", ",a", "A=1", "1a=1", "a=", "a=,b", "a= 1", "a =1", "a=1 b", "a=1;", "a;1", "a=:AA", `a="x`, "a=\"\t\"", `a="\x"`, "a=?2",
		"a=1.", "a=1.2345", "a=1234567890123456", "a=1234567890123.1", "a=--1", "a=-", "a=(1 2)", "a=@1", "a=é", "é=1",
	} {
		_, ok := parseDictionary(text)
		require.False(t, ok, text)
	}
}
