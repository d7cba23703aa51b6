package certs

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/acme"
)

func TestARenewalDropsNoConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acme.Options{Validity: 12 * time.Second})
	all := w.fleet(2, quickly())
	require.NoError(t, w.served(addrs(all), 10*time.Second))
	first, err := w.dial(w.front.addr(), otters)
	require.NoError(t, err)

	kept := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: otters}, // one connection, kept
	}}
	defer kept.CloseIdleConnections()
	connections := 0
	ask := func() { // once more on the old connection
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
			if !got.Reused {
				connections++
			}
		}})
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+w.front.addr(), nil)
		require.NoError(t, err)
		answer, err := kept.Do(request)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
	}
	renewed := 0
	for deadline := time.Now().Add(20 * time.Second); renewed < len(all); {
		require.True(t, time.Now().Before(deadline), "no renewal was seen at each instance")
		ask()
		renewed = 0
		for _, i := range all {
			leaf, err := w.dial(i.addr, otters) // verified: in date, and by the authority
			require.NoError(t, err)
			if !leaf.Equal(first) {
				renewed++
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	ask()
	require.Equal(t, 1, connections, "the old connection was replaced")
	require.Equal(t, 2, w.authority.Orders(), "the first, and one renewal for both instances")
}

func TestWhoeverSendsNoNameGetsTheFirstNamesCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acme.Options{})
	w.authority.Route("pandas.test", w.front.addr(), "")
	cfg := w.config("a")
	cfg.Names = []string{otters, "pandas.test"}
	i := w.start(cfg, quickly())
	require.NoError(t, w.served([]string{i.addr}, 10*time.Second))
	require.Eventually(t, func() bool { return i.source.Ready() == nil }, 10*time.Second, 10*time.Millisecond)

	for sent, want := range map[string]string{
		"":                                       otters,
		"pandas.test":                            "pandas.test",
		"PANDAS.TEST":                            "pandas.test",
		"localhost":                              otters,
		"ip-10-0-0-7.eu-west-1.compute.internal": otters,
	} {
		conn, err := tls.Dial("tcp", i.addr, &tls.Config{ServerName: sent, InsecureSkipVerify: true})
		require.NoError(t, err, sent)
		require.Equal(t, []string{want}, conn.ConnectionState().PeerCertificates[0].DNSNames, sent)
		require.NoError(t, conn.Close())
	}
	_, err := tls.Dial("tcp", i.addr, &tls.Config{ServerName: "strangers.test", InsecureSkipVerify: true})
	require.ErrorContains(t, err, "unrecognized name")
	require.Equal(t, 2, w.authority.Orders(), "no order for a name that is not ours")
}

func TestAStrangersChallengeIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acme.Options{})
	i := w.start(w.config("a"), quickly())
	shared := i.source.origin.(*fleet).shared
	require.NoError(t, shared.put(t.Context(), "token+http-01", []byte("token.thumbprint")))
	port80 := i.source.HTTPHandler(nil)
	ask := func(host, path string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		request := httptest.NewRequest(http.MethodGet, challengePath+path, nil)
		request.Host = host
		port80.ServeHTTP(answer, request)
		return answer
	}
	require.Equal(t, "token.thumbprint", ask(otters, "token").Body.String())
	require.Equal(t, http.StatusOK, ask("OTTERS.test:80", "token").Code)
	require.Equal(t, http.StatusForbidden, ask("strangers.test", "token").Code)
	require.Equal(t, http.StatusForbidden, ask("127.0.0.1", "token").Code)
	require.Equal(t, http.StatusNotFound, ask(otters, "other").Code)
	require.Equal(t, http.StatusNotFound, ask(otters, "..%2Ftoken").Code)

	knock := &tls.Config{ServerName: "strangers.test", InsecureSkipVerify: true, NextProtos: []string{challengeProtocol}}
	_, err := tls.Dial("tcp", i.addr, knock)
	require.ErrorContains(t, err, "unrecognized name")
}

func TestAWrongFleetKeyIsAnErrorAndOverwritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acme.Options{})
	good, cache := w.configOver("a")
	good.LocalDir = t.TempDir()
	i := w.start(good, quickly())
	require.NoError(t, w.served([]string{i.addr}, 10*time.Second))
	require.NoError(t, i.source.Close())
	before, local := contents(t, w.cache), contents(t, good.LocalDir)
	require.NotEmpty(t, local)

	wrong := w.config("b")
	wrong.FleetKey = append(make([]byte, 31), 1)
	_, err := Open(t.Context(), wrong)
	require.ErrorIs(t, err, errSealed)
	require.ErrorContains(t, err, "shared cache: entry")
	wrong.Names = []string{"pandas.test"} // with no entry of its own yet
	_, err = Open(t.Context(), wrong)
	require.ErrorIs(t, err, errSealed)
	wrong.Names, wrong.LocalDir = good.Names, good.LocalDir
	_, err = Open(t.Context(), wrong)
	require.ErrorContains(t, err, "local copy: entry")

	// The same, where the cache only comes up after the instance.
	wrong.LocalDir, wrong.Shared = "", cache
	cache.set(true, 0)
	late := w.start(wrong, quickly())
	_, _ = w.dial(late.addr, otters)
	cache.set(false, 0)
	require.Eventually(t, func() bool { return errorContains(late.source.Ready(), errSealed.Error()) },
		10*time.Second, 10*time.Millisecond)
	require.NoError(t, late.source.Close())
	require.Equal(t, before, contents(t, w.cache))
	require.Equal(t, local, contents(t, good.LocalDir))
	require.Equal(t, 1, w.authority.Orders())
}

func TestPastItsEndTheLastCertificateIsServedButNotReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acme.Options{})
	cfg, cache := w.configOver("a")
	clock := &movable{}
	p := quickly()
	p.now = clock.now
	i := w.start(cfg, p)
	require.NoError(t, w.served([]string{i.addr}, 10*time.Second))
	require.NoError(t, i.source.Ready())

	cache.set(true, 0)
	clock.move(91 * 24 * time.Hour)
	require.ErrorContains(t, i.source.Ready(), "the certificate for otters.test expired on ")
	require.Eventually(t, func() bool { return errorContains(i.source.Ready(), "does not answer") },
		10*time.Second, 10*time.Millisecond)
	_, err := w.dial(i.addr, otters)
	require.NoError(t, err, "by the clock of the client it is still good")
}

func TestAnExpiredCertificateInTheCacheIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acme.Options{})
	vault, err := newVault(dirCache(w.cache), make([]byte, 32), w.authority.Directory(), time.Second)
	require.NoError(t, err)
	content, err := encode(selfSigned(t, otters, -time.Minute))
	require.NoError(t, err)
	require.NoError(t, vault.put(t.Context(), otters, content))

	require.NoError(t, w.oneForAll(addrs(w.fleet(2, quickly())), 10*time.Second))
}

func TestACertificateOfAnotherDirectoryIsNotServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acme.Options{})
	staging, err := newVault(dirCache(w.cache), make([]byte, 32), stagingDirectory, time.Second)
	require.NoError(t, err)
	content, err := encode(selfSigned(t, otters, time.Hour))
	require.NoError(t, err)
	require.NoError(t, staging.put(t.Context(), otters, content))

	i := w.start(w.config("a"), quickly())
	require.ErrorContains(t, i.source.Ready(), "no certificate for otters.test is held")
	require.NoError(t, w.oneForAll([]string{i.addr}, 10*time.Second))
}

// movable is a clock that can be moved ahead.
type movable struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (m *movable) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Add(m.ahead)
}

func (m *movable) move(by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ahead += by
}
