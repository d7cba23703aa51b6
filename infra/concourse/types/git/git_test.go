package main

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/infra/git"
)

const password = "s3cret/@ö"

type object = map[string]any

// repository is one on a real server, a clone to make commits in, and what is
// said about it in a pipeline.
type repository struct {
	t      *testing.T
	server *git.Server
	work   string
	source object
}

func newRepository(t *testing.T, options git.Options) *repository {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server, err := git.Serve(listener, t.TempDir(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	require.NoError(t, server.Create(t.Context(), "kit", password))
	r := &repository{t: t, server: server, work: t.TempDir(), source: object{
		"uri": "http://" + server.Address() + server.Path("kit"), "branch": "main", "username": git.User, "password": password}}
	r.git("init", "--quiet", "--initial-branch=main")
	return r
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	command := exec.CommandContext(r.t.Context(), "git", args...)
	command.Dir = r.work
	command.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+r.work,
		"GIT_AUTHOR_NAME=otter", "GIT_AUTHOR_EMAIL=o@example.org", "GIT_COMMITTER_NAME=otter", "GIT_COMMITTER_EMAIL=o@example.org")
	said, err := command.CombinedOutput()
	require.NoError(r.t, err, "git %v: %s", args, said)
	return strings.TrimSpace(string(said))
}

// commit changes file and returns the commit.
func (r *repository) commit(file, message string) string {
	r.t.Helper()
	at := filepath.Join(r.work, file)
	require.NoError(r.t, os.MkdirAll(filepath.Dir(at), 0o755))
	require.NoError(r.t, os.WriteFile(at, []byte(message), 0o644))
	r.git("add", "--", file)
	r.git("commit", "--quiet", "-m", message)
	return r.git("rev-parse", "HEAD")
}

// push sends what was committed, as somebody else does.
func (r *repository) push() {
	r.t.Helper()
	at := strings.Replace(r.source["uri"].(string), "http://", "http://git:s3cret%2F%40%C3%B6@", 1)
	r.git("push", "--quiet", "--force", at, "HEAD:refs/heads/main")
}

// call runs the type as Concourse does.
func call(t *testing.T, verb, dir string, request object) (answer, said string, err error) {
	t.Helper()
	text, err := json.Marshal(request)
	require.NoError(t, err)
	args := []string{verb}
	if dir != "" {
		args = append(args, dir)
	}
	var stdout, stderr bytes.Buffer
	err = kind().Run(t.Context(), args, bytes.NewReader(text), &stdout, &stderr)
	return stdout.String(), stderr.String(), err
}

// checked returns the refs that it finds.
func checked(t *testing.T, source object, from string) []string {
	t.Helper()
	request := object{"source": source}
	if from != "" {
		request["version"] = object{"ref": from}
	}
	answer, said, err := call(t, "check", "", request)
	require.NoError(t, err, said)
	var versions []version
	require.NoError(t, json.Unmarshal([]byte(answer), &versions))
	refs := []string{}
	for _, v := range versions {
		refs = append(refs, v.Ref)
	}
	return refs
}

func get(t *testing.T, source object, ref string, params object) string {
	t.Helper()
	dir := t.TempDir()
	answer, said, err := call(t, "in", dir, object{"source": source, "version": object{"ref": ref}, "params": params})
	require.NoError(t, err, said)
	require.Contains(t, answer, `{"version":{"ref":"`+ref+`"},"metadata":[`)
	return dir
}

func text(t *testing.T, parts ...string) string {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(parts...))
	require.NoError(t, err)
	return strings.TrimSpace(string(got))
}

func with(source object, more object) object {
	all := object{}
	for _, from := range []object{source, more} {
		for k, v := range from {
			all[k] = v
		}
	}
	return all
}

// TMPDIR is where check keeps its mirror: one per test, as one per container.
func ownTemporary(t *testing.T) { t.Setenv("TMPDIR", t.TempDir()) }

func TestCheckFindsTheNewestAndThenAllSince(t *testing.T) {
	ownTemporary(t)
	r := newRepository(t, git.Options{Private: true})
	one := r.commit("text", "one")
	r.push()
	require.Equal(t, []string{one}, checked(t, r.source, ""))
	require.Equal(t, []string{one}, checked(t, r.source, one))
	two, three := r.commit("text", "two"), r.commit("text", "three")
	r.push()
	require.Equal(t, []string{one, two, three}, checked(t, r.source, one))
	require.Equal(t, []string{three}, checked(t, r.source, ""))
	require.Equal(t, []string{three}, checked(t, with(r.source, object{"branch": ""}), ""), "the remote's own branch")
}

func TestABranchThatWasWrittenAnewIsNewestOnly(t *testing.T) {
	ownTemporary(t)
	r := newRepository(t, git.Options{})
	one := r.commit("text", "one")
	gone := r.commit("text", "gone")
	r.push()
	require.Equal(t, []string{one, gone}, checked(t, r.source, one))
	r.git("reset", "--quiet", "--hard", one)
	anew := r.commit("text", "anew")
	r.push()
	require.Equal(t, []string{anew}, checked(t, r.source, gone))
	require.Equal(t, []string{anew}, checked(t, r.source, strings.Repeat("0", 40)))
}

func TestOnlyCommitsThatTheSourceWantsCount(t *testing.T) {
	ownTemporary(t)
	r := newRepository(t, git.Options{})
	first := r.commit("app/x", "first")
	app := r.commit("app/x", "app")
	docs := r.commit("docs/x", "docs")
	skipped := r.commit("app/x", "app again [ci skip]")
	both := r.commit("app/y", "more")
	r.push()
	cases := []struct {
		more object
		want []string
	}{
		{object{}, []string{first, app, docs, both}},
		{object{"paths": []string{"docs"}}, []string{first, docs}},
		{object{"ignore_paths": []string{"docs"}}, []string{first, app, both}},
		{object{"disable_ci_skip": true}, []string{first, app, docs, skipped, both}},
	}
	for _, c := range cases {
		require.Equal(t, c.want, checked(t, with(r.source, c.more), first), c.more)
	}
}

func TestGetBringsTheCommitAndSaysWhichItIs(t *testing.T) {
	t.Parallel()
	r := newRepository(t, git.Options{Private: true})
	one := r.commit("text", "one\n\nbody")
	r.commit("text", "two")
	r.push()
	dir := get(t, r.source, one, nil)
	require.Equal(t, "one\n\nbody", text(t, dir, "text"))
	require.Equal(t, one, text(t, dir, ".git/ref"))
	require.True(t, strings.HasPrefix(one, text(t, dir, ".git/short_ref")))
	require.Equal(t, "main", text(t, dir, ".git/branch"))
	require.Equal(t, "o@example.org", text(t, dir, ".git/committer"))
	require.Equal(t, "one\n\nbody", text(t, dir, ".git/commit_message"))
	require.NotContains(t, text(t, dir, ".git/config"), "s3cret")
}

func TestDepthIsHonouredAndStillFindsTheCommit(t *testing.T) {
	t.Parallel()
	r := newRepository(t, git.Options{})
	one := r.commit("text", "one")
	for range 20 {
		r.commit("text", "more")
		r.commit("text", "still more")
	}
	newest := r.commit("text", "newest")
	r.push()
	count := func(dir string) string {
		r.work = dir
		return r.git("rev-list", "--count", "--all")
	}
	require.Equal(t, "1", count(get(t, r.source, newest, object{"depth": 1})))
	require.Equal(t, "one", text(t, get(t, r.source, one, object{"depth": 1}), "text"))
}

// The judge's repository of nonces: plain files, no protocol.
func TestDumbHTTPServesWholeClones(t *testing.T) {
	ownTemporary(t)
	r := newRepository(t, git.Options{})
	one := r.commit("NONCE", "one")
	bare := t.TempDir()
	r.git("clone", "--quiet", "--bare", r.work, bare)
	update := func() { r.git("--git-dir="+bare, "update-server-info") }
	update()
	site := httptest.NewServer(http.FileServer(http.Dir(bare)))
	defer site.Close()
	source := object{"uri": site.URL, "branch": "main"}
	require.Equal(t, []string{one}, checked(t, source, ""))
	two := r.commit("NONCE", "two")
	r.git("push", "--quiet", bare, "main")
	update()
	require.Equal(t, []string{one, two}, checked(t, source, one))
	require.Equal(t, "two", text(t, get(t, source, two, nil), "NONCE"))
	require.Equal(t, "one", text(t, get(t, source, one, nil), "NONCE"))
}

func TestPutPushesAndTellsWhat(t *testing.T) {
	ownTemporary(t)
	r := newRepository(t, git.Options{})
	one := r.commit("text", "one")
	r.push()
	mine := r.commit("mine", "mine")
	put := func(params object) (string, error) {
		params["repository"] = filepath.Base(r.work)
		answer, said, err := call(t, "out", filepath.Dir(r.work), object{"source": r.source, "params": params})
		if err != nil {
			return said, err
		}
		var got struct{ Version version }
		require.NoError(t, json.Unmarshal([]byte(answer), &got))
		return got.Version.Ref, nil
	}
	ref, err := put(object{})
	require.NoError(t, err)
	require.Equal(t, mine, ref)
	require.Equal(t, []string{one, mine}, checked(t, r.source, one))

	// Somebody else pushes: without rebase it is refused, with it both are there.
	r.git("reset", "--quiet", "--hard", one)
	late := r.commit("late", "late")
	said, err := put(object{})
	require.Error(t, err)
	require.Contains(t, said, "git push")
	ref, err = put(object{"rebase": true})
	require.NoError(t, err)
	require.NotEqual(t, late, ref)
	require.Equal(t, []string{one, mine, ref}, checked(t, r.source, one))
	require.Equal(t, late, r.git("rev-parse", "HEAD"), "the input stays as it was")
	ref, err = put(object{"force": true})
	require.NoError(t, err)
	require.Equal(t, late, ref)
	require.Equal(t, []string{late}, checked(t, r.source, mine))
}

func TestABadSourceIsOneClearSentence(t *testing.T) {
	ownTemporary(t)
	r := newRepository(t, git.Options{Private: true})
	one := r.commit("text", "one")
	r.push()
	cases := []struct {
		verb         string
		more, params object
		ref, want    string
	}{
		{"check", object{"uri": ""}, nil, "", "source.uri is missing"},
		{"check", object{"uri": "--upload-pack=x"}, nil, "", "wanted a URL"},
		{"check", object{"uri": "http://a:s3cret@b/"}, nil, "", "belong into source.username"},
		{"check", object{"branch": "--all"}, nil, "", "wanted the name of a branch"},
		{"check", object{"username": ""}, nil, "", "wanted both or none"},
		{"check", object{"password": "s3cret\nmore"}, nil, "", "has a line break"},
		{"check", object{"private_key": "x"}, nil, "", `source has the field "private_key", wanted some of: uri, branch`},
		{"in", nil, nil, "main", "wanted a whole commit hash"},
		{"in", nil, object{"depth": -1}, one, "params.depth is -1"},
		{"in", nil, object{"submodules": "all"}, one, "wanted none"},
		{"in", nil, object{"depht": 1}, one, `params has the field "depht"`},
		{"out", nil, object{}, "", "params.repository is missing"},
		{"out", object{"branch": ""}, object{"repository": "."}, "", "source.branch is missing"},
		{"out", nil, object{"repository": ".", "rebase": true, "force": true}, "", "wanted one of them"},
	}
	for _, c := range cases {
		request, dir := object{"source": with(r.source, c.more), "params": c.params}, ""
		if c.verb != "check" {
			dir = t.TempDir()
		}
		if c.ref != "" {
			request["version"] = object{"ref": c.ref}
		}
		answer, said, err := call(t, c.verb, dir, request)
		require.Error(t, err, c.want)
		require.Empty(t, answer)
		require.Contains(t, said, c.want)
		require.Equal(t, 1, strings.Count(said, "\n"), said)
		require.NotContains(t, said, "s3cret")
	}
}

func TestWhatIsNotThereIsSaid(t *testing.T) {
	ownTemporary(t)
	r := newRepository(t, git.Options{Private: true})
	r.commit("text", "one")
	r.push()
	cases := map[string]struct {
		more object
		want string
	}{
		"branch":     {object{"branch": "none"}, "refs/heads/none"},
		"password":   {object{"password": "wrong"}, "Authentication failed"},
		"repository": {object{"uri": "http://" + r.server.Address() + "/none.git"}, "not found"},
		"server":     {object{"uri": "http://127.0.0.1:1/x.git"}, "127.0.0.1"},
	}
	for name, c := range cases {
		_, said, err := call(t, "check", "", object{"source": with(r.source, c.more)})
		require.Error(t, err, name)
		require.Contains(t, said, c.want)
	}
	_, said, err := call(t, "in", t.TempDir(), object{"source": r.source, "version": object{"ref": strings.Repeat("0", 40)}})
	require.Error(t, err)
	require.Contains(t, said, "is not in the branch")
}

func TestThePasswordGoesToItsHostAlone(t *testing.T) {
	ownTemporary(t)
	asked := make(chan string, 100)
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("Authorization")
		w.Header().Set("WWW-Authenticate", `Basic realm="give it to me"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer thief.Close()
	lure := httptest.NewServer(http.RedirectHandler(thief.URL+"/x/info/refs?service=git-upload-pack", http.StatusFound))
	defer lure.Close()
	_, said, err := call(t, "check", "", object{"source": object{"uri": lure.URL + "/x", "username": "u", "password": password}})
	require.Error(t, err, said)
	require.NotEmpty(t, asked)
	for len(asked) > 0 {
		require.NotContains(t, <-asked, "Basic "+"dTpz") // u:s…
	}
}

// Git is made to say all that it knows, and to fail.
func TestThePasswordIsInNoArgumentAndNoLog(t *testing.T) {
	ownTemporary(t)
	r := newRepository(t, git.Options{Private: true})
	r.commit("text", "one")
	r.push()
	trace := filepath.Join(t.TempDir(), "trace")
	t.Setenv("GIT_TRACE", trace) // every command with its arguments
	t.Setenv("GIT_CURL_VERBOSE", "1")
	t.Setenv("GIT_TRACE_REDACT", "0")
	for _, name := range []string{"kit", "none"} {
		source := with(r.source, object{"uri": "http://" + r.server.Address() + r.server.Path(name)})
		_, said, err := call(t, "check", "", object{"source": source})
		require.Equal(t, name == "kit", err == nil, said)
		require.NotContains(t, said, "s3cret")
		require.NotContains(t, said, "Z2l0OnMzY3JldC") // git:s3cret in base64
	}
	require.NotContains(t, text(t, trace), "s3cret")
	require.Contains(t, text(t, trace), "fetch")
}
