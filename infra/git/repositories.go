package git

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// named is what a repository may be called: one part of a path, and nothing
// that git or a file system would take for something else.
var named = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Create makes an empty bare repository whose branch is main, which User pushes
// to with password. Where there is one already it only gets the password.
func (s *Server) Create(ctx context.Context, name, password string) error {
	if !named.MatchString(name) {
		return fmt.Errorf("git: create %q: wanted a name of a-z, 0-9, _ and -, at most 64", name)
	}
	if password == "" {
		return fmt.Errorf("git: create %q: the password is empty", name)
	}
	dir := filepath.Join(s.dir, name+".git")
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("git: create %q: %w", name, err)
		}
		said, err := exec.CommandContext(ctx, "git", "init", "--quiet", "--bare", "--initial-branch=main", dir).CombinedOutput()
		if err != nil {
			return fmt.Errorf("git: create %q: %w: %s", name, err, bytes.TrimSpace(said))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passwords[name] = password
	return nil
}

// guarded lets requests for a known repository through to next, and pushes only
// with its password. A password that is given must always be the right one.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, asked *http.Request) {
		first, rest, _ := strings.Cut(strings.TrimPrefix(asked.URL.Path, "/"), "/")
		name, bare := strings.CutSuffix(first, ".git")
		s.mu.Lock()
		want, known := s.passwords[name]
		s.mu.Unlock()
		if !known || !bare {
			http.NotFound(w, asked)
			return
		}
		user, password, given := asked.BasicAuth()
		right := user == User && subtle.ConstantTimeCompare([]byte(password), []byte(want)) == 1
		if !right && (given || s.options.Private || pushes(rest, asked)) {
			w.Header().Set("WWW-Authenticate", `Basic realm="`+name+`"`)
			http.Error(w, "wrong or no password for "+name, http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, asked)
	})
}

// pushes tells the two requests of a push (gitprotocol-http(5)).
func pushes(rest string, asked *http.Request) bool {
	return rest == "git-receive-pack" || asked.URL.Query().Get("service") == "git-receive-pack"
}
