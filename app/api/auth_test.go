package api

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestATokenIsFoundWithoutAnAllocation(t *testing.T) {
	long := strings.Repeat("t", 200)
	tokens := NewTokens(Roles{Judge: []string{"a", long}, Reader: []string{"b"}})
	r := httptest.NewRequest("GET", "/v1/objects/k", nil)
	r.Header.Set("Authorization", "Bearer "+long)
	var got *grant
	require.Zero(t, testing.AllocsPerRun(100, func() { got = tokens.find(bearer(r)) }))
	require.Equal(t, "judge", got.role)
	endless := NewTokens(Roles{Judge: []string{strings.Repeat("t", MaxToken+1), ""}})
	require.Nil(t, endless.find(strings.Repeat("t", MaxToken+1)))
	require.Nil(t, endless.find(""))
}

func TestReplacedTokensAreRefusedAtOnce(t *testing.T) {
	tokens := NewTokens(Roles{Judge: []string{"old"}})
	b := newBench(t, func(c *Config) { c.Tokens = tokens })
	status := func(token string) int { return b.do("GET", "/v1/objects/k", "", "Authorization: Bearer "+token).status }
	require.Equal(t, 404, status("old"))
	require.Equal(t, 401, status("new"))
	tokens.Replace(Roles{Judge: []string{"old", "new"}})
	require.Equal(t, 404, status("old"))
	require.Equal(t, 404, status("new"))
	tokens.Replace(Roles{Judge: []string{"new"}, Reader: []string{""}})
	require.Equal(t, 401, status("old"))
	require.Equal(t, 404, status("new"))
	require.Equal(t, 401, status(""))
}

// BenchmarkFind shows what a token costs, with one and with the most there may be.
func BenchmarkFind(b *testing.B) {
	for name, roles := range map[string]Roles{
		"one token":   {Judge: []string{"0123456789abcdef0123456789abcdef"}},
		"48 of three": {Judge: many("j"), Writer: many("w"), Reader: many("r")},
	} {
		b.Run(name, func(b *testing.B) {
			tokens := NewTokens(roles)
			b.ReportAllocs()
			for b.Loop() {
				tokens.find("0123456789abcdef0123456789abcdef")
			}
		})
	}
}

func many(prefix string) []string {
	var all []string
	for i := range 16 {
		all = append(all, prefix+strings.Repeat("x", 30)+string(rune('a'+i)))
	}
	return all
}
