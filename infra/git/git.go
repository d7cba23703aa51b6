// Package git serves bare repositories over smart HTTP, for rehearsals and
// tests: the protocol is that of git's own http-backend, run as a CGI program
// (gitprotocol-http(5), git-http-backend(1)). Here are only the names and the
// passwords.
package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// User is who pushes: the password alone tells repositories apart.
const User = "git"

// Options of a Server; the zero value lets anybody read.
type Options struct {
	// Private asks for a repository's password for reading too.
	Private bool
}

// Server is a git server that answers. Its methods may be called concurrently.
type Server struct {
	dir     string
	options Options
	address string
	site    *http.Server
	running sync.WaitGroup
	failed  error // what ended Serve; read after running

	mu        sync.Mutex
	passwords map[string]string // by name of the repository, without ".git"
}

// Serve answers on listener, in plain HTTP, until Close. Repositories lie in
// dir, which is made; there are none but those of Create.
func Serve(listener net.Listener, dir string, options Options) (*Server, error) {
	said, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return nil, fmt.Errorf("git: ask git for its programs: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	s := &Server{dir: dir, options: options, address: listener.Addr().String(), passwords: map[string]string{}}
	s.site = &http.Server{
		Handler:           s.guarded(backend(filepath.Join(strings.TrimSpace(string(said)), "git-http-backend"), dir)),
		ErrorLog:          log.New(io.Discard, "", 0),
		ReadHeaderTimeout: 10 * time.Second,
	}
	s.running.Go(func() { s.failed = s.site.Serve(listener) })
	return s, nil
}

// backend is git's own server. REMOTE_USER tells it that a push may be taken.
func backend(program, dir string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, asked *http.Request) {
		// A large push comes in chunks, which CGI has no word for: without a
		// length the program reads to the end of its input.
		asked.TransferEncoding = nil
		environment := []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1"}
		if protocol := asked.Header.Get("Git-Protocol"); protocol != "" {
			environment = append(environment, "GIT_PROTOCOL="+protocol)
		}
		if user, _, ok := asked.BasicAuth(); ok {
			environment = append(environment, "REMOTE_USER="+user)
		}
		(&cgi.Handler{Path: program, Dir: dir, Env: environment, Logger: log.New(io.Discard, "", 0), Stderr: io.Discard}).ServeHTTP(w, asked)
	})
}

// Address is the host:port that answers.
func (s *Server) Address() string { return s.address }

// Path of a repository, below the address: "/name.git".
func (s *Server) Path(name string) string { return "/" + name + ".git" }

// Close gives what is under way five seconds, cuts it off then, and returns when
// the port is closed. The repositories stay.
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
