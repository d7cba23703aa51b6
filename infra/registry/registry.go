// Package registry runs a registry of container images on this machine, for
// rehearsals and tests: go-containerregistry's, which speaks the OCI
// distribution specification, with what is large on disk instead of in memory.
package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
)

// Server is a registry that answers. Its methods may be called concurrently.
type Server struct {
	address string
	site    *http.Server
	running sync.WaitGroup
	failed  error // what ended Serve; read after running
}

// Serve answers on listener, in plain HTTP and to anybody, until Close. Blobs
// are kept in dir, which is made. Manifests and tags are in memory: whoever
// starts a registry anew pushes anew, which is quick where the blobs are there.
func Serve(listener net.Listener, dir string) (*Server, error) {
	handler, err := Handler(dir)
	if err != nil {
		return nil, err
	}
	s := &Server{
		address: listener.Addr().String(),
		site: &http.Server{
			Handler:           handler,
			ErrorLog:          log.New(io.Discard, "", 0),
			ReadHeaderTimeout: 10 * time.Second,
		},
	}
	s.running.Go(func() { s.failed = s.site.Serve(listener) })
	return s, nil
}

// Handler is the registry alone, to be mounted at the root of a site.
func Handler(dir string) (http.Handler, error) {
	for _, below := range []string{"sha256", "uploads"} {
		if err := os.MkdirAll(filepath.Join(dir, below), 0o755); err != nil {
			return nil, fmt.Errorf("registry: %w", err)
		}
	}
	store := ggcr.New(
		ggcr.WithBlobHandler(blobs{dir}),
		ggcr.Logger(log.New(io.Discard, "", 0)),
	)
	return &uploads{dir: filepath.Join(dir, "uploads"), next: store}, nil
}

// Address is host:port, the part of an image's name before the first slash.
func (s *Server) Address() string { return s.address }

// Close gives what is under way five seconds, cuts it off then, and returns when
// nothing runs any more.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.site.Shutdown(ctx)
	if err != nil {
		err = s.site.Close()
	}
	s.running.Wait()
	if !errors.Is(s.failed, http.ErrServerClosed) {
		err = errors.Join(err, s.failed)
	}
	return err
}
