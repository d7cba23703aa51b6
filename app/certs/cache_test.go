package certs

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// moody is a shared cache that can be down, slow, or watched.
type moody struct {
	Shared
	mu    sync.Mutex
	down  bool
	delay time.Duration
	hooks map[string]func() // by suffix of the key, before it is put, once
	after map[string]func() // the same, once it is put
}

var errDown = errors.New("the cache is down")

// configOver is the configuration of an instance whose cache is moody.
func (w *world) configOver(instance string) (Config, *moody) {
	cfg := w.config(instance)
	cache := &moody{Shared: dirCache(cfg.CacheDir), hooks: map[string]func(){}, after: map[string]func(){}}
	cfg.Shared = cache
	return cfg, cache
}

func (m *moody) set(down bool, delay time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down, m.delay = down, delay
}

func (m *moody) onPut(suffix string, hook func())    { m.hooks[suffix] = hook }
func (m *moody) afterPut(suffix string, hook func()) { m.after[suffix] = hook }

func (m *moody) mood(ctx context.Context) error {
	m.mu.Lock()
	down, delay := m.down, m.delay
	m.mu.Unlock()
	if down {
		return errDown
	}
	select {
	case <-time.After(delay):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *moody) run(hooks map[string]func(), key string) {
	for suffix, hook := range hooks {
		if strings.HasSuffix(key, suffix) {
			m.mu.Lock()
			delete(hooks, suffix)
			m.mu.Unlock()
			hook()
		}
	}
}

func (m *moody) Get(ctx context.Context, key string) ([]byte, string, error) {
	if err := m.mood(ctx); err != nil {
		return nil, "", err
	}
	return m.Shared.Get(ctx, key)
}

func (m *moody) Put(ctx context.Context, key string, value []byte) error {
	m.run(m.hooks, key)
	if err := m.mood(ctx); err != nil {
		return err
	}
	err := m.Shared.Put(ctx, key, value)
	m.run(m.after, key)
	return err
}

func (m *moody) Swap(ctx context.Context, key, version string, value []byte) (string, error) {
	if err := m.mood(ctx); err != nil {
		return "", err
	}
	return m.Shared.Swap(ctx, key, version, value)
}

func (m *moody) Delete(ctx context.Context, key string) error {
	if err := m.mood(ctx); err != nil {
		return err
	}
	return m.Shared.Delete(ctx, key)
}

func TestACacheThatIsDownWhenColdIsTheReasonForNotBeingReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t, calmAuthority)
	cfg, cache := w.configOver("a")
	cache.set(true, 0)
	i := w.start(cfg, quickly())
	_, err := w.dial(i.addr, otters)
	require.Error(t, err)
	require.EqualError(t, i.source.Ready(),
		"no certificate for otters.test is held: the shared certificate cache does not answer: the cache is down")
	require.Zero(t, w.authority.Orders())

	cache.set(false, 0)
	require.NoError(t, w.oneForAll([]string{i.addr}, 10*time.Second))
}

// copied waits for the local copy, which is written just after a certificate
// is first served.
func (i *instance) copied(t *testing.T) {
	t.Helper()
	f := i.source.origin.(*fleet)
	require.Eventually(t, func() bool {
		cert, err := f.read(t.Context(), f.local, otters)
		return err == nil && cert != nil
	}, 10*time.Second, 10*time.Millisecond)
}

func TestACacheThatGoesDownWhenWarmIsNotNoticedByClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t, calmAuthority)
	cfg, cache := w.configOver("a")
	cfg.LocalDir = filepath.Join(t.TempDir(), "local", "certificates")
	i := w.start(cfg, quickly())
	require.NoError(t, w.served([]string{i.addr}, 10*time.Second))
	i.copied(t)

	cache.set(true, 0)
	_, err := w.dial(i.addr, otters)
	require.NoError(t, err)
	require.NoError(t, i.source.Ready())

	restarted := w.start(cfg, quickly())
	require.NoError(t, restarted.source.Ready(), "the local copy is enough")
	_, err = w.dial(restarted.addr, otters)
	require.NoError(t, err)
	require.Equal(t, 1, w.authority.Orders())
}

func TestAMissingSharedDirectoryIsRefusedUnlessALocalCopyCanServe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, calmAuthority)
	cfg := w.config("a")
	cfg.LocalDir = t.TempDir()
	i := w.start(cfg, quickly())
	require.NoError(t, w.served([]string{i.addr}, 10*time.Second))
	i.copied(t)
	require.NoError(t, i.source.Close())

	for _, cache := range []string{filepath.Join(w.cache, "missing"), w.root} { // nothing, and a file
		cfg.CacheDir = cache
		restarted := w.start(cfg, quickly())
		require.NoError(t, restarted.source.Ready())
		_, err := w.dial(restarted.addr, otters)
		require.NoError(t, err)

		empty := cfg
		empty.LocalDir = t.TempDir()
		_, err = Open(t.Context(), empty)
		require.ErrorContains(t, err, cache)
		require.ErrorContains(t, err, "want an existing directory that the whole fleet shares")
	}
	require.Equal(t, 1, w.authority.Orders())
}

func TestAnOrderWhoseAnswerCannotBeSharedIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, calmAuthority)
	cfg, cache := w.configOver("a")
	down := make(chan struct{})
	cache.onPut(tokenSuffix, func() { cache.set(true, 0); close(down) })
	i := w.start(cfg, quickly())
	_, _ = w.dial(i.addr, otters)
	<-down
	require.Eventually(t, func() bool { return errorContains(i.source.Ready(), "does not answer") },
		10*time.Second, 10*time.Millisecond)
	require.Never(t, func() bool { return w.authority.Certificates() > 0 || w.authority.Orders() > 1 },
		1500*time.Millisecond, 50*time.Millisecond, "the authority was told to knock, or again and again for orders")

	cache.set(false, 0)
	require.NoError(t, w.served([]string{i.addr}, 10*time.Second))
	require.LessOrEqual(t, w.authority.Orders(), 2)
}

func TestACertificateThatCouldNotBeSharedIsSharedLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, calmAuthority)
	cfg, cache := w.configOver("a")
	cache.afterPut(tokenSuffix, func() { cache.set(true, 0) })
	first := w.start(cfg, quickly())
	require.NoError(t, w.served([]string{first.addr}, 10*time.Second), "it answers the challenge from memory")

	second := w.start(w.config("b"), quickly()) // whose own way to the cache is well
	require.Error(t, second.source.Ready())
	cache.set(false, 0)
	require.NoError(t, w.oneForAll([]string{first.addr, second.addr}, 10*time.Second))
}

func TestASlowCacheDoesNotSlowHandshakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, calmAuthority)
	cfg, cache := w.configOver("a")
	i := w.start(cfg, quickly())
	require.NoError(t, w.served([]string{i.addr}, 10*time.Second))

	cache.set(false, 3*time.Second)
	const limit = 100 * time.Millisecond
	slow := 0
	for range 20 {
		began := time.Now()
		_, err := w.dial(i.addr, otters)
		require.NoError(t, err)
		took := time.Since(began)
		require.Less(t, took, time.Second, "that long only the cache takes")
		if took > limit {
			slow++ // a busy machine may do that to a few
		}
	}
	require.Less(t, slow, 10)
}

func errorContains(err error, text string) bool {
	return err != nil && strings.Contains(err.Error(), text)
}

func servePlain(t *testing.T, handler http.Handler) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: handler}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return listener.Addr().String()
}

func TestACancelledCacheWriteIsNotLeftRunning(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var over atomic.Bool
	_, err := bounded(ctx, func() (struct{}, error) {
		cancel()
		time.Sleep(50 * time.Millisecond) // a write that had begun
		over.Store(true)
		return struct{}{}, nil
	})
	require.NoError(t, err)
	require.True(t, over.Load())
}

func TestACacheThatHangsIsLeftBehind(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	hang := make(chan struct{})
	defer close(hang)
	_, err := bounded(ctx, func() (struct{}, error) { cancel(); <-hang; return struct{}{}, nil })
	require.ErrorIs(t, err, context.Canceled)
}
