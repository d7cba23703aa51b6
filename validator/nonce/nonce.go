// Package nonce hosts the git repositories by which the judge redeploys teams
// (CHALLENGE.md, section 5): one per team, branch main, one file NONCE. They
// are served read only over git's dumb HTTP protocol, which is files by their
// names (gitprotocol-http, "dumb clients"), at paths that nobody guesses.
package nonce

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// Prefix is what the path of every repository begins with.
const Prefix = "/git/"

// Host keeps the repositories in a directory and serves them. It is safe for
// concurrent use, and several processes may open the same directory: what one
// commits the others serve at once.
type Host struct {
	dir  string
	seed string
	mu   sync.Mutex // one writer at a time in this process; see lock for the others
}

// Open makes dir where it is missing and returns a host of the repositories in
// it. The same seed gives the same paths, also after a restart; who does not
// know the seed cannot guess them.
func Open(dir, seed string) (*Host, error) {
	if seed == "" {
		return nil, errors.New("nonce: the seed is empty, want the contest's: without it anybody could guess the paths")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("nonce: open %s: %w", dir, err)
	}
	return &Host{dir: dir, seed: seed}, nil
}

// Path is where team's repository is served, from the root of the host:
// "/git/<40 hex digits>/nonce.git". The team needs no repository yet.
func (h *Host) Path(team string) string { return PathOf(h.seed, team) }

// PathOf is the Path of a host with that seed, which need not be there.
func PathOf(seed, team string) string { return Prefix + name(seed, team) + "/nonce.git" }

// name is the unguessable part of a team's path.
func name(seed, team string) string {
	mac := hmac.New(sha256.New, []byte(seed))
	mac.Write([]byte("nonce repository\x00" + team))
	return hex.EncodeToString(mac.Sum(nil))[:40]
}

// at is the directory of a team's bare repository.
func (h *Host) at(team string) string { return filepath.Join(h.dir, name(h.seed, team), "nonce.git") }

// Prepare gives each of the teams that has no repository yet one with a first
// nonce: Concourse checks the resource before the judge redeploys anything, and
// git refuses a repository without its branch.
func (h *Host) Prepare(ctx context.Context, teams ...string) error {
	for _, team := range teams {
		if _, revision := h.Current(team); revision != "" {
			continue
		}
		if _, err := h.Commit(ctx, team, rand.Text()); err != nil {
			return err
		}
	}
	return nil
}

// form is what a nonce may be (CHALLENGE.md, section 5).
var form = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Commit puts nonce on top of team's branch main and returns the revision (40
// hex digits). Who clones from then on gets it; nobody ever sees a part of it.
// The same nonce may be committed again and is another revision. It waits for
// other writers until ctx ends.
func (h *Host) Commit(ctx context.Context, team, nonce string) (revision string, err error) {
	if !form.MatchString(nonce) {
		return "", fmt.Errorf("nonce: commit %q for %s: want 1 to 64 of A-Z, a-z, 0-9, _ and -", nonce, team)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	unlock, err := h.lock(ctx, "lock")
	if err != nil {
		return "", fmt.Errorf("nonce: commit for %s: %w", team, err)
	}
	defer unlock()
	revision, err = commit(h.at(team), nonce)
	if err != nil {
		return "", fmt.Errorf("nonce: commit for %s: %w", team, err)
	}
	return revision, nil
}

// Turn gives the caller team's repository for a whole redeployment, so that its
// nonce is not replaced before it is live: by the judge that serves, or by an
// organiser who tries a pipeline meanwhile. It waits for others until ctx ends.
// Commit does not ask for it.
func (h *Host) Turn(ctx context.Context, team string) (done func(), err error) {
	if done, err = h.lock(ctx, "turn-"+name(h.seed, team)); err != nil {
		return nil, fmt.Errorf("nonce: another redeployment of %s is on: %w", team, err)
	}
	return done, nil
}

// Current is the nonce on team's branch and its revision, as they are served.
// Both are empty where there is none, and where what is kept cannot be read.
func (h *Host) Current(team string) (nonce, revision string) {
	advertised, err := os.ReadFile(filepath.Join(h.at(team), filepath.FromSlash(infoRefs)))
	if err != nil {
		return "", ""
	}
	revision, _, _ = strings.Cut(string(advertised), "\t")
	if nonce, err = read(h.at(team), revision); err != nil {
		return "", ""
	}
	return nonce, revision
}

// exists tells a file that is not there from one that cannot be read.
func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
