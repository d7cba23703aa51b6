package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/acme"
)

const otters = "otters.test"

var calmAuthority = acme.Options{}

// world is an authority, a fleet behind a balancer, and the cache they share.
type world struct {
	t         *testing.T
	authority *acme.Server
	root      string // file with the root of the directory's HTTPS
	cache     string
	front     *balancer // port 443
	plain     *balancer // port 80
}

func newWorld(t *testing.T, opts acme.Options) *world {
	authority, err := acme.Start(context.Background(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, authority.Close()) })
	w := &world{
		t: t, authority: authority, cache: t.TempDir(),
		root:  filepath.Join(t.TempDir(), "root.pem"),
		front: newBalancer(t), plain: newBalancer(t),
	}
	require.NoError(t, os.WriteFile(w.root, authority.ServerRootPEM(), 0o600))
	authority.Route(otters, w.front.addr(), "")
	return w
}

// config is what every instance of the fleet has.
func (w *world) config(instance string) Config {
	return Config{
		Mode: "acme", Names: []string{otters}, Instance: instance,
		Directory: w.authority.Directory(), RootFile: w.root,
		CacheDir: w.cache, FleetKey: make([]byte, 32), Logger: testLog(w.t),
	}
}

// quickly shortens the waits, not the limits: on a busy machine a lease must not
// run out by itself.
func quickly() pace {
	p := defaultPace()
	p.urgent, p.calm = 20*time.Millisecond, 50*time.Millisecond
	p.settle, p.rest = 10*time.Second, 100*time.Millisecond
	return p
}

// instance is one server of the fleet, behind the balancers.
type instance struct {
	source *Source
	addr   string
	kill   context.CancelFunc // its background work stops as if the process had died
}

func (w *world) start(cfg Config, p pace) *instance {
	ctx, kill := context.WithCancel(context.Background())
	w.t.Cleanup(kill)
	source, err := open(ctx, cfg, p)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, source.Close()) })
	i := &instance{source: source, kill: kill}
	i.addr = serve(w.t, source.TLSConfig())
	w.front.add(i.addr)
	return i
}

// fleet starts count instances at once, all cold, with a client that knocks on
// the balancer as a health check would.
func (w *world) fleet(count int, p pace) []*instance {
	var all []*instance
	for n := range count {
		all = append(all, w.start(w.config(string(rune('a'+n))), p))
	}
	for range count { // every instance is heard: the balancer takes turns
		_, _ = w.dial(w.front.addr(), otters)
	}
	return all
}

// dial makes a verified connection for name, empty for none, and returns the
// certificate that it was given.
func (w *world) dial(addr, name string) (*x509.Certificate, error) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(w.authority.RootPEM())
	config := &tls.Config{ServerName: name, RootCAs: roots, InsecureSkipVerify: name == ""}
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", addr, config)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

// served is nil once each instance by itself serves a verified certificate.
func (w *world) served(addrs []string, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for n, addr := range addrs {
		for {
			_, err := w.dial(addr, otters)
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("instance %d of %d: %w", n+1, len(addrs), err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}

// oneForAll is the rule that a fleet has to keep: all are served, by one order.
func (w *world) oneForAll(addrs []string, limit time.Duration) error {
	if err := w.served(addrs, limit); err != nil {
		return err
	}
	if orders, certificates := w.authority.Orders(), w.authority.Certificates(); orders != 1 || certificates != 1 {
		return fmt.Errorf("%d orders and %d certificates, want 1 and 1", orders, certificates)
	}
	return nil
}

func addrs(all []*instance) (addrs []string) {
	for _, i := range all {
		addrs = append(addrs, i.addr)
	}
	return addrs
}

// serve answers every request over TLS until the test ends.
func serve(t *testing.T, config *tls.Config) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{
		TLSConfig: config,
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }),
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return listener.Addr().String()
}

// balancer passes TCP connections to its backends in turn, all of them taken
// for live: with no ready instance a balancer has no other choice.
type balancer struct {
	listener net.Listener
	next     atomic.Int64
	running  sync.WaitGroup
	mu       sync.Mutex
	backends []string
}

func newBalancer(t *testing.T) *balancer {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &balancer{listener: listener}
	b.running.Go(b.accept)
	t.Cleanup(func() { _ = listener.Close(); b.running.Wait() })
	return b
}

func (b *balancer) addr() string { return b.listener.Addr().String() }

func (b *balancer) add(backend string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends = append(b.backends, backend)
}

func (b *balancer) remove(backend string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends = slices.DeleteFunc(b.backends, func(one string) bool { return one == backend })
}

func (b *balancer) pick() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.backends) == 0 {
		return ""
	}
	return b.backends[int(b.next.Add(1))%len(b.backends)]
}

func (b *balancer) accept() {
	for {
		from, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.running.Go(func() {
			defer from.Close()
			to, err := net.Dial("tcp", b.pick())
			if err != nil {
				return
			}
			defer to.Close()
			b.running.Go(func() { _, _ = io.Copy(to, from); _ = to.Close() })
			_, _ = io.Copy(from, to)
		})
	}
}

// testLog shows what instances log when the test fails or is verbose.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}
