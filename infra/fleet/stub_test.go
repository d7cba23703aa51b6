package fleet

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stubbed makes of this test's binary the server that its groups start.
const stubbed = "BOGOPS_FLEET_STUB"

func TestMain(m *testing.M) {
	if os.Getenv(stubbed) != "" {
		os.Exit(stub(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// stub is a server whose version says what is wrong with it: "never" is never
// ready, "deaf" does not listen, "dies" ends at once, "stuck" does not drain.
func stub(args []string) int {
	instance, version := args[len(args)-2], args[len(args)-1]
	fmt.Printf("%s of version %s begins\n", instance, version)
	if strings.Contains(version, "dies") {
		fmt.Println("no store was found")
		return 3
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	if strings.Contains(version, "deaf") {
		<-ended
		return 0
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" && strings.Contains(version, "never") {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"title":"not ready","detail":"the store does not answer"}`)
			return
		}
		_, _ = fmt.Fprintf(w, "%s %s %s", instance, version, os.Getenv("COLOUR"))
	}))
	address := server.Listener.Addr().String()
	fmt.Printf("{\"msg\":\"listening\",\"addr\":%q,\"http\":%q}\n", address, address)
	<-ended
	if strings.Contains(version, "stuck") {
		select {}
	}
	server.Close()
	return 0
}

// diary is a log that tests may read while it is written.
type diary struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.Write(p)
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.String()
}

const token = "token-of-the-group"

// options are those of a group of stubs; nothing of it is deployed yet.
func options(t *testing.T, dir string) Options {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	return Options{
		ID: "otters", Dir: dir, Size: 2, ServerName: "otters.example.net", Token: token,
		Args: func(instance, version string) []string { return []string{instance, version} },
		Env:  []string{stubbed + "=yes", "PROGRAM=" + program, "COLOUR=blue"},
		Log:  &diary{}, TLS: listen(t), HTTP: listen(t),
	}
}

// A site is a group, its control API and a client of that.
type site struct {
	*Group
	t       *testing.T
	url     string
	address string // of the balancer
	lease   string
}

func open(t *testing.T, o Options) *site {
	t.Helper()
	s := &site{t: t, address: o.TLS.Addr().String()}
	g, err := Start(t.Context(), o)
	require.NoError(t, err)
	server := httptest.NewServer(g.Handler())
	t.Cleanup(func() {
		server.Close()
		_ = g.Stop() // again, where the test did it
	})
	s.Group, s.url = g, server.URL
	return s
}

// call asks the control API and decodes what it answers.
func (s *site) call(method, path string, body any, into any) int {
	s.t.Helper()
	text, err := json.Marshal(body)
	require.NoError(s.t, err)
	request, err := http.NewRequestWithContext(context.Background(), method, s.url+path, bytes.NewReader(text))
	require.NoError(s.t, err)
	return s.do(request, into)
}

func (s *site) do(request *http.Request, into any) int {
	s.t.Helper()
	request.Header.Set("Authorization", "Bearer "+token)
	if s.lease != "" {
		request.Header.Set(LeaseHeader, s.lease)
	}
	reply, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	require.NoError(s.t, err)
	if into != nil && len(text) > 0 {
		require.NoError(s.t, json.Unmarshal(text, into), string(text))
	}
	if reply.StatusCode >= 400 {
		require.Equal(s.t, "application/problem+json", reply.Header.Get("Content-Type"))
	}
	return reply.StatusCode
}

// take takes the lease for that many seconds.
func (s *site) take(seconds float64) {
	s.t.Helper()
	var given LeaseAnswer
	require.Equal(s.t, http.StatusCreated, s.call("POST", "/v1/roll", map[string]any{"holder": "a test", "seconds": seconds}, &given))
	s.lease = given.ID
}

// giveBack ends the lease.
func (s *site) giveBack() {
	s.t.Helper()
	require.Equal(s.t, http.StatusNoContent, s.call("DELETE", "/v1/roll", nil, nil))
	s.lease = ""
}

// killed leaves the roll-out as it is: its lease is soon over. Until then the
// lease is a long one, or a slow machine would end it in the middle of a test.
func (s *site) killed() {
	s.t.Helper()
	require.Equal(s.t, http.StatusOK, s.call("PUT", "/v1/roll", map[string]any{"seconds": 1}, nil))
}

func (s *site) launch(r Release) Instance {
	s.t.Helper()
	var i Instance
	require.Equal(s.t, http.StatusCreated, s.call("POST", "/v1/instances", r, &i))
	return i
}

func (s *site) look(id string) Instance {
	s.t.Helper()
	var i Instance
	require.Equal(s.t, http.StatusOK, s.call("GET", "/v1/instances/"+id, nil, &i))
	return i
}

// versions are those of the instances that live and do not drain.
func (s *site) versions() []string {
	var all []string
	for _, i := range s.Describe().Instances {
		if i.State != Draining {
			all = append(all, i.Version)
		}
	}
	slices.Sort(all)
	return all
}

// settles waits until that is what runs, all of it ready.
func (s *site) settles(versions ...string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		d := s.Describe()
		return slices.Equal(s.versions(), versions) && d.Size.Ready == len(versions)
	}, time.Minute, 20*time.Millisecond, "%v, want %v", s.versions(), versions)
}

// upload sends an archive under a name.
func (s *site) upload(name string, archive []byte, into any) int {
	s.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), "PUT", s.url+"/v1/packages/"+name, bytes.NewReader(archive))
	require.NoError(s.t, err)
	sum := sha256.Sum256(archive)
	request.Header.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":")
	return s.do(request, into)
}

// contents are the files of a package of the stub.
func contents(revision string) map[string]string {
	return map[string]string{
		"app":           "#!/bin/sh\nexec \"$PROGRAM\" \"$@\"\n",
		"start.sh":      "#!/bin/sh\nexec ./app \"$@\"\n",
		"VERSION":       revision + "\n",
		"sbom.cdx.json": "{}",
	}
}

// sums lists the checksums of files.
func sums(files map[string]string) string {
	var list strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256([]byte(files[name])), name)
	}
	return list.String()
}

// pack makes an archive of files with the right checksums.
func pack(t *testing.T, files map[string]string) []byte {
	t.Helper()
	files = maps.Clone(files)
	files[sumsFile] = sums(files)
	return archived(t, func(w *tar.Writer) {
		for _, name := range slices.Sorted(maps.Keys(files)) {
			entry(t, w, tar.Header{Name: name}, files[name])
		}
	})
}

func entry(t *testing.T, w *tar.Writer, header tar.Header, content string) {
	t.Helper()
	if header.Typeflag == 0 {
		header.Typeflag = tar.TypeReg
	}
	if header.Mode == 0 {
		header.Mode = 0o755
	}
	header.Size = int64(len(content))
	require.NoError(t, w.WriteHeader(&header))
	_, err := io.WriteString(w, content)
	require.NoError(t, err)
}

func archived(t *testing.T, fill func(*tar.Writer)) []byte {
	t.Helper()
	var raw bytes.Buffer
	zipped := gzip.NewWriter(&raw)
	w := tar.NewWriter(zipped)
	fill(w)
	require.NoError(t, w.Close())
	require.NoError(t, zipped.Close())
	return raw.Bytes()
}

// builtIn is a group that starts the stub itself.
func builtIn(t *testing.T, version string) Options {
	t.Helper()
	o := options(t, t.TempDir())
	program, err := os.Executable()
	require.NoError(t, err)
	o.App, o.Version = program, version
	return o
}

// processes lists those whose command line names text.
func processes(t *testing.T, text string) []string {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var found []string
	for _, file := range lines {
		if line, err := os.ReadFile(file); err == nil && bytes.Contains(line, []byte(text)) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}
