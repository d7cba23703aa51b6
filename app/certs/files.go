package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// files serves one certificate from two files and reads them again when they
// change. A renewal by another program replaces the two one after the other:
// until they fit together again, the last good pair is served.
type files struct {
	certFile, keyFile string
	names             []string
	pace              pace
	logger            *slog.Logger

	held    atomic.Pointer[tls.Certificate]
	stop    context.CancelFunc
	running sync.WaitGroup
}

func openFiles(ctx context.Context, cfg Config, pace pace) (*files, error) {
	f := &files{certFile: cfg.CertFile, keyFile: cfg.KeyFile, names: cfg.Names, pace: pace, logger: cfg.Logger}
	last, err := f.read()
	if err != nil {
		return nil, err
	}
	if err := f.use(last); err != nil {
		return nil, err
	}
	ctx, f.stop = context.WithCancel(ctx)
	f.running.Go(func() { f.watch(ctx, last) })
	return f, nil
}

// pair is what the two files hold, PEM.
type pair struct{ cert, key []byte }

func (f *files) read() (pair, error) {
	cert, err := os.ReadFile(f.certFile)
	if err != nil {
		return pair{}, fmt.Errorf("certificate: %w", err)
	}
	key, err := os.ReadFile(f.keyFile)
	if err != nil {
		return pair{}, fmt.Errorf("key: %w", err)
	}
	return pair{cert, key}, nil
}

func (f *files) use(p pair) error {
	cert, err := tls.X509KeyPair(p.cert, p.key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", f.certFile, f.keyFile, err)
	}
	for _, name := range f.names {
		if err := cert.Leaf.VerifyHostname(name); err != nil {
			return fmt.Errorf("certificate %s: %w", f.certFile, err)
		}
	}
	f.held.Store(&cert)
	return nil
}

// watch compares contents, not times of change: two small files a second cost
// nothing, and a clock or a symbolic link cannot hide a change.
func (f *files) watch(ctx context.Context, last pair) {
	tick := time.NewTicker(f.pace.reload)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		next, err := f.read()
		if err != nil || (bytes.Equal(next.cert, last.cert) && bytes.Equal(next.key, last.key)) {
			continue // absent for a moment while it is replaced
		}
		last = next
		if err := f.use(next); err != nil {
			f.logger.Warn("changed certificate files do not fit, serving the last good pair", "error", err)
			continue
		}
		f.logger.Info("certificate files changed", "until", f.held.Load().Leaf.NotAfter)
	}
}

func (f *files) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return f.held.Load(), nil
}

func (f *files) challenge(context.Context, string, string) ([]byte, error) {
	return nil, statusError{http.StatusNotFound, "no challenge is answered in mode files"}
}

func (f *files) ready() error {
	leaf := f.held.Load().Leaf
	if now := f.pace.now(); now.After(leaf.NotAfter) {
		return fmt.Errorf("the certificate in %s expired on %s", f.certFile, leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

func (f *files) ends() map[string]time.Time {
	leaf, ends := f.held.Load().Leaf, map[string]time.Time{}
	for _, name := range f.names {
		ends[name] = leaf.NotAfter
	}
	if len(f.names) == 0 {
		ends[""] = leaf.NotAfter // served to everyone, whatever it says
	}
	return ends
}

func (f *files) close() error {
	f.stop()
	f.running.Wait()
	return nil
}
