package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// profile takes a CPU profile of the app while it is loaded, and keeps it in
// the out directory under this name; without a name it takes none. What it
// returns waits for its end.
func (b *bench) profile(ctx context.Context, s *server, name string) (finish func() error) {
	if name == "" {
		return func() error { return nil }
	}
	ended := make(chan error, 1)
	go func() { ended <- b.fetchProfile(ctx, s, filepath.Join(b.Out, name+".pprof")) }()
	return func() error { return <-ended }
}

func (b *bench) fetchProfile(ctx context.Context, s *server, path string) error {
	seconds := max(1, int(b.Time/time.Second)-1)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.admin, seconds), nil)
	if err != nil {
		return err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("the profile was answered with %s", reply.Status)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, reply.Body); err != nil {
		return err
	}
	return file.Close()
}
