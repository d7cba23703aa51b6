package nonce

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const seed = "a seed that nobody guesses"

// hosted is a host with a first commit of one team, and where it is served.
func hosted(t *testing.T) (*Host, *httptest.Server) {
	t.Helper()
	h, err := Open(filepath.Join(t.TempDir(), "nonce"), seed)
	require.NoError(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return h, server
}

func commits(t *testing.T, h *Host, team, nonce string) string {
	t.Helper()
	revision, err := h.Commit(t.Context(), team, nonce)
	require.NoError(t, err)
	require.Regexp(t, `^[0-9a-f]{40}$`, revision)
	return revision
}

// git runs the real client, which must not look at anybody's settings.
func git(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "HOME="+t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0")
	out, err := command.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func mustGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := git(t, dir, args...)
	require.NoError(t, err, "git %v: %s", args, out)
	return out
}

func TestTheRealGitClonesFetchesAndListsWhatTheJudgeCommits(t *testing.T) {
	t.Parallel()
	h, server := hosted(t)
	first := commits(t, h, "loutres", "first-nonce_1")
	at, clone := server.URL+h.Path("loutres"), filepath.Join(t.TempDir(), "clone")

	require.Equal(t, first+"\trefs/heads/main", mustGit(t, ".", "ls-remote", "--heads", at))
	mustGit(t, ".", "clone", "-q", "--single-branch", "-b", "main", at, clone)
	content, err := os.ReadFile(filepath.Join(clone, "NONCE"))
	require.NoError(t, err)
	require.Equal(t, "first-nonce_1\n", string(content))
	require.Equal(t, "judge", mustGit(t, clone, "log", "-1", "--format=%an"))

	second := commits(t, h, "loutres", "second")
	mustGit(t, clone, "fetch", "-q", "origin")
	require.Equal(t, second, mustGit(t, clone, "rev-parse", "origin/main"))
	require.Equal(t, "second", mustGit(t, clone, "show", "origin/main:NONCE"))
	require.Equal(t, first, mustGit(t, clone, "rev-parse", "origin/main~1"))
	require.Empty(t, mustGit(t, clone, "fsck", "--full", "--strict", "--no-progress"))
	require.Equal(t, second+"\tHEAD\n"+second+"\trefs/heads/main", mustGit(t, ".", "ls-remote", at))
}

func TestAShallowCloneIsRefusedByGitItselfAndAFilteredOneWorks(t *testing.T) {
	t.Parallel()
	h, server := hosted(t)
	commits(t, h, "loutres", "first")
	out, err := git(t, ".", "clone", "-q", "--depth", "1", server.URL+h.Path("loutres"), filepath.Join(t.TempDir(), "shallow"))
	require.Error(t, err)
	require.Contains(t, out, "dumb http transport does not support shallow")
	filtered := filepath.Join(t.TempDir(), "filtered")
	mustGit(t, ".", "clone", "-q", "--filter=blob:none", server.URL+h.Path("loutres"), filtered)
	require.FileExists(t, filepath.Join(filtered, "NONCE"))
}

func TestNobodyPushesIntoIt(t *testing.T) {
	t.Parallel()
	h, server := hosted(t)
	revision := commits(t, h, "loutres", "first")
	clone := filepath.Join(t.TempDir(), "clone")
	mustGit(t, ".", "clone", "-q", server.URL+h.Path("loutres"), clone)
	mustGit(t, clone, "-c", "user.name=a", "-c", "user.email=a@example.net", "commit", "-q", "--allow-empty", "-m", "ours")
	_, err := git(t, clone, "push", "origin", "HEAD:main")
	require.Error(t, err)
	_, now := h.Current("loutres")
	require.Equal(t, revision, now)
}

func TestPathsAndRevisionsSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before, err := Open(dir, seed)
	require.NoError(t, err)
	require.NoError(t, before.Prepare(t.Context(), "loutres", "pandas"))
	first := commits(t, before, "loutres", "kept")
	after, err := Open(dir, seed)
	require.NoError(t, err)
	require.Equal(t, before.Path("loutres"), after.Path("loutres"))
	nonce, revision := after.Current("loutres")
	require.Equal(t, []string{"kept", first}, []string{nonce, revision})
	_, theirs := after.Current("pandas")
	require.NoError(t, after.Prepare(t.Context(), "loutres", "pandas"))
	_, still := after.Current("pandas")
	require.NotEmpty(t, theirs)
	require.Equal(t, theirs, still, "prepared once")
	require.Len(t, commits(t, after, "loutres", "next"), 40)

	server := httptest.NewServer(before) // also serves what another process wrote
	defer server.Close()
	require.Contains(t, mustGit(t, ".", "ls-remote", server.URL+before.Path("loutres"), "main"), "refs/heads/main")
	fetched := filepath.Join(t.TempDir(), "clone")
	mustGit(t, ".", "clone", "-q", server.URL+before.Path("loutres"), fetched)
	require.Equal(t, "3", mustGit(t, fetched, "rev-list", "--count", "HEAD"))
}

func TestPathsAreOfTheSeedAndOfTheTeam(t *testing.T) {
	t.Parallel()
	h, _ := hosted(t)
	other, err := Open(t.TempDir(), "another seed, as long")
	require.NoError(t, err)
	require.Regexp(t, `^/git/[0-9a-f]{40}/nonce\.git$`, h.Path("loutres"))
	require.NotEqual(t, h.Path("loutres"), h.Path("pandas"))
	require.NotEqual(t, h.Path("loutres"), other.Path("loutres"))
	require.Regexp(t, `^/git/[0-9a-f]{40}/nonce\.git$`, h.Path("../../etc"))
	_, err = Open(t.TempDir(), "")
	require.ErrorContains(t, err, "seed is empty")
}

func TestOnlyNoncesOfTheContractAreCommitted(t *testing.T) {
	t.Parallel()
	h, _ := hosted(t)
	for _, bad := range []string{"", "two words", "new\nline", strings.Repeat("a", 65), "é", "a/b", "a+b"} {
		_, err := h.Commit(t.Context(), "loutres", bad)
		require.ErrorContains(t, err, "want 1 to 64 of", "%q", bad)
	}
	nonce, revision := h.Current("loutres")
	require.Empty(t, nonce+revision)
	commits(t, h, "loutres", strings.Repeat("a", 64))
	first := commits(t, h, "loutres", "same")
	require.NotEqual(t, first, commits(t, h, "loutres", "same"), "a nonce may come again, as another revision")
}

func TestAWriterGivesUpWhenItsTimeIsOverWhileAnotherProcessWrites(t *testing.T) {
	t.Parallel()
	h, _ := hosted(t)
	unlock, err := h.lock(t.Context(), "lock")
	require.NoError(t, err)
	other, err := Open(h.dir, seed)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = other.Commit(ctx, "loutres", "late")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	unlock()
	commits(t, other, "loutres", "now")
}

func TestOneRedeploymentOfATeamIsOnAtATime(t *testing.T) {
	t.Parallel()
	h, _ := hosted(t)
	done, err := h.Turn(t.Context(), "loutres")
	require.NoError(t, err)
	other, err := Open(h.dir, seed)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = other.Turn(ctx, "loutres")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	pandas, err := other.Turn(t.Context(), "pandas")
	require.NoError(t, err, "another team's is its own")
	pandas()
	commits(t, other, "loutres", "a-commit-does-not-ask")
	done()
	done, err = other.Turn(t.Context(), "loutres")
	require.NoError(t, err)
	done()
}

// get asks for a path as it stands, unresolved and unescaped.
func get(h http.Handler, method, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://judge.example.net/", nil)
	if parsed, err := url.ParseRequestURI(path); err == nil {
		r.URL = parsed
	} else {
		r.URL.Path = path
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestNothingElseIsServedAndEveryUnknownPathLooksAlike(t *testing.T) {
	t.Parallel()
	h, _ := hosted(t)
	revision := commits(t, h, "loutres", "first")
	require.NoError(t, os.WriteFile(filepath.Join(h.dir, "secret"), []byte("secret"), 0o600))
	at := h.Path("loutres")
	unknown := get(h, http.MethodGet, h.Path("nobody")+"/HEAD")
	require.Equal(t, http.StatusNotFound, unknown.Code)
	for _, path := range []string{
		"/", "/git", "/git/", "/git/lock", "/git/secret", at, at + "/", at + "/config", at + "/info", at + "/info/", at + "/info/refs.next",
		at + "/info/refs/", at + "/refs/heads/main", at + "/objects", at + "/objects/", at + "/objects/info/alternates", at + "/objects/info/http-alternates",
		at + "/objects/" + revision[:2], at + "/objects/" + revision[:2] + "/", at + "/objects/" + revision, at + "/objects/pack/pack-" + revision + ".pack",
		at + "/../nonce.git/HEAD", at + "/objects/../HEAD", at + "/objects/%2e%2e/HEAD", at + "/%48EAD", at + "/..%2f..%2fsecret", at + "//HEAD", "/" + at + "/HEAD",
		at + "/objects/aa/" + strings.Repeat("0", 38), strings.ToUpper(at) + "/HEAD", at + "/git-upload-pack", at + "/git-receive-pack", at + "/HEAD%00", at + "/HEAD%0a",
	} {
		got := get(h, http.MethodGet, path)
		require.Equal(t, unknown.Code, got.Code, path)
		require.Equal(t, unknown.Body.String(), got.Body.String(), path)
		require.Equal(t, unknown.Header(), got.Header(), path)
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "PROPFIND"} {
		require.Equal(t, http.StatusNotFound, get(h, method, at+"/HEAD").Code, method)
	}
	for path, want := range map[string]string{
		"/HEAD": "ref: refs/heads/main\n", "/info/refs": revision + "\trefs/heads/main\n", "/info/refs?service=git-upload-pack": revision + "\trefs/heads/main\n", "/objects/info/packs": "\n",
	} {
		got := get(h, http.MethodGet, at+path)
		require.Equal(t, http.StatusOK, got.Code, path)
		require.Equal(t, want, got.Body.String())
		require.Empty(t, get(h, http.MethodHead, at+path).Body.String())
	}
}

func FuzzNoPathReadsAFileThatIsNotServed(f *testing.F) {
	h, err := Open(filepath.Join(f.TempDir(), "nonce"), seed)
	require.NoError(f, err)
	revision, err := h.Commit(f.Context(), "loutres", "first")
	require.NoError(f, err)
	for _, file := range []string{filepath.Join(h.dir, "secret"), filepath.Join(h.dir, "..", "secret"), filepath.Join(h.at("loutres"), "secret")} {
		require.NoError(f, os.WriteFile(file, []byte("the secret"), 0o600))
	}
	at := h.Path("loutres")
	for _, path := range []string{
		at + "/HEAD", at + "/secret", "/git/secret", "/git/../secret", at + "/../../secret", at + "/objects/" + revision[:2] + "/" + revision[2:],
		at + "/objects/%2e%2e/secret", "/git/%2e%2e/secret", at + "/info/refs",
	} {
		f.Add(path)
	}
	loose := regexp.MustCompile(`^` + regexp.QuoteMeta(at) + `/(HEAD|info/refs|objects/info/packs|objects/[0-9a-f]{2}/[0-9a-f]{38})$`)
	f.Fuzz(func(t *testing.T, path string) {
		r := httptest.NewRequest(http.MethodGet, "http://judge.example.net/", nil)
		parsed, err := url.ParseRequestURI(path)
		if err != nil {
			return
		}
		r.URL = parsed
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.NotContains(t, w.Body.String(), "the secret")
		if w.Code == http.StatusOK {
			require.Regexp(t, loose, parsed.EscapedPath())
		}
	})
}

func TestAReaderSeesWholeRevisionsOnlyWhileTheJudgeCommits(t *testing.T) {
	t.Parallel()
	h, server := hosted(t)
	commits(t, h, "loutres", "n-0")
	other, err := Open(h.dir, seed)
	require.NoError(t, err)
	const writers, each = 4, 5
	var writing sync.WaitGroup
	failed := make(chan error, writers*each)
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				host := []*Host{h, other}[i%2]
				if _, err := host.Commit(t.Context(), "loutres", fmt.Sprintf("n-%d-%d", w, i)); err != nil {
					failed <- err
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	for clone := 0; ; clone++ {
		into := filepath.Join(t.TempDir(), fmt.Sprint("clone-", clone))
		mustGit(t, ".", "clone", "-q", server.URL+h.Path("loutres"), into)
		require.Empty(t, mustGit(t, into, "fsck", "--full", "--no-progress"))
		nonce, revision := h.Current("loutres")
		require.NotEmpty(t, nonce+revision)
		select {
		case <-done:
		default:
			continue
		}
		break
	}
	close(failed)
	require.NoError(t, <-failed)
	last := filepath.Join(t.TempDir(), "last")
	mustGit(t, ".", "clone", "-q", server.URL+h.Path("loutres"), last)
	require.Equal(t, fmt.Sprint(1+writers*each), mustGit(t, last, "rev-list", "--count", "HEAD"), "no commit was lost")
	response, err := http.Get(server.URL + h.Path("loutres") + "/HEAD")
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, "ref: refs/heads/main\n", string(body))
}
