package board

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/verdict"
)

// reply asks the board for one page; a stream is cut after its first news.
func reply(t *testing.T, b *Board, path string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	if strings.HasPrefix(path, "/events") {
		request.Header.Set("Accept", "application/json")
	}
	recorder := httptest.NewRecorder()
	b.ServeHTTP(recorder, request)
	return recorder
}

func get(t *testing.T, b *Board, path string) string {
	t.Helper()
	r := reply(t, b, path)
	require.Equal(t, http.StatusOK, r.Code, path)
	return r.Body.String()
}

func TestThePageMayLoadItsOwnFilesOnly(t *testing.T) {
	b, _ := serve(t, newDemo(t))
	policy := reply(t, b, "/").Header().Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'")
	require.Contains(t, policy, "script-src 'self';")
	require.NotContains(t, strings.Split(policy, "style-src-attr")[0], "unsafe")
	body := get(t, b, "/")
	require.NotContains(t, body, "http://")
	require.NotContains(t, body, "https://")
}

func TestEveryFileThatThePageNamesIsThere(t *testing.T) {
	b, _ := serve(t, newDemo(t))
	for _, name := range []string{"wall.css", "live.js", "inter.woff2", "icon.svg"} {
		require.NotEmpty(t, get(t, b, "/assets/"+name), name)
	}
	for _, path := range []string{"/assets/base.css", "/assets/inter-OFL.txt", "/journal", "/nothing"} {
		require.Equal(t, http.StatusNotFound, reply(t, b, path).Code, path)
	}
}

func TestTheSceneFollowsThePhaseUnlessOneIsAskedFor(t *testing.T) {
	d := newDemo(t)
	d.morning()
	b, _ := serve(t, d)
	require.Contains(t, get(t, b, "/"), `class="scene morning"`)
	require.Contains(t, get(t, b, "/?scene=campaign"), `class="scene campaign"`)
	require.Contains(t, get(t, b, "/?scene=podium"), `class="scene podium"`)
	require.Contains(t, get(t, b, "/?scene=nonsense"), `class="scene morning"`)

	d = newDemo(t)
	c := d.afternoon(30)
	b, _ = serve(t, d)
	require.Contains(t, get(t, b, "/"), `class="scene campaign"`)
	d.evening(c)
	b, _ = serve(t, d)
	require.Contains(t, get(t, b, "/"), `class="scene podium"`)
}

func TestEvidenceIsShownAsTextAndOnlyUnderItsOwnName(t *testing.T) {
	b, _ := serve(t, newDemo(t))
	body := get(t, b, "/evidence/"+demoEvidenceHash)
	require.Contains(t, body, "&#34;method&#34;: &#34;PUT&#34;", "JSON is indented")
	require.NotContains(t, body, "<script>")

	for hash, code := range map[string]int{
		strings.Repeat("0", 64): http.StatusNotFound, "..%2f..%2fetc%2fpasswd": http.StatusBadRequest, "abc": http.StatusBadRequest,
		strings.ToUpper(demoEvidenceHash): http.StatusBadRequest, strings.Repeat("g", 64): http.StatusBadRequest,
	} {
		require.Equal(t, code, reply(t, b, "/evidence/"+hash).Code, hash)
	}
}

func TestEvidenceThatWasAlteredIsNotShown(t *testing.T) {
	d := newDemo(t)
	altered := New(Config{Journal: d, Now: d.now, Evidence: func(string) ([]byte, error) { return []byte(demoEvidence + " "), nil }})
	t.Cleanup(altered.Close)
	r := reply(t, altered, "/evidence/"+demoEvidenceHash)
	require.Equal(t, http.StatusInternalServerError, r.Code)
	require.NotContains(t, r.Body.String(), "PUT")
}

func TestAnErrorOfTheEvidenceStoreStaysInTheLog(t *testing.T) {
	d := newDemo(t)
	b := New(Config{Journal: d, Now: d.now, Evidence: func(string) ([]byte, error) { return nil, errors.New("open /secret/path: denied") }})
	t.Cleanup(b.Close)
	sum := sha256.Sum256(nil)
	require.NotContains(t, reply(t, b, "/evidence/"+hex.EncodeToString(sum[:])).Body.String(), "secret")
}

func TestTheStateForProgramsSaysWhatTheWallShows(t *testing.T) {
	d := newDemo(t)
	d.morning()
	b, _ := serve(t, d)
	var s state
	require.NoError(t, json.Unmarshal([]byte(get(t, b, "/state.json")), &s))
	require.Equal(t, "build", s.Phase)
	require.Equal(t, []string{"loutres", "pandas", "temoin"}, []string{s.Teams[0].ID, s.Teams[1].ID, s.Teams[2].ID})
	tls := s.Teams[0].Tiles[2]
	require.Equal(t, verdict.OK, tls.Status)
	require.Equal(t, []int{3, 3}, []int{tls.Held, tls.Checks})
	require.NotNil(t, s.Teams[0].Score)
	require.Nil(t, s.Teams[2].Score, "the witness is unranked")
}

func TestABoardWithoutAJournalYetWaits(t *testing.T) {
	b := New(Config{Journal: nothing{}})
	t.Cleanup(b.Close)
	require.Contains(t, get(t, b, "/"), "Waiting for the journal")
	require.Equal(t, "ok\n", get(t, b, "/healthz"))
}
