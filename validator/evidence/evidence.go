// Package evidence keeps what each verdict rests on, as files named by the
// SHA-256 of their content.
package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNotFound says that no evidence has the hash asked for.
var ErrNotFound = errors.New("no such evidence")

// Store is a directory of evidence. Its methods may be called concurrently,
// also by several processes.
type Store struct {
	dir      string
	redactor Redactor
}

// Open returns the store in dir, which is made where it is missing.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("evidence: %q must be a directory that can be written: %w", dir, err)
	}
	return &Store{dir: dir}, nil
}

// Redact makes Put replace these secrets wherever they occur from now on, and
// returns the redactor that does it, for texts that go elsewhere.
func (s *Store) Redact(secrets ...string) *Redactor {
	s.redactor.Add(secrets...)
	return &s.redactor
}

// Put keeps doc as JSON and returns the hex SHA-256 that names it. The same
// content is kept once. A reader sees the whole file or none; a machine that
// loses power may keep a torn one, which Get then refuses by its hash.
func (s *Store) Put(doc any) (string, error) {
	content, err := json.Marshal(doc)
	if err != nil {
		return "", fmt.Errorf("evidence: put: %w", err)
	}
	content = append(s.redactor.JSON(content), '\n')
	sum := sha256.Sum256(content)
	name := hex.EncodeToString(sum[:])
	path := s.path(name)
	if _, err := os.Stat(path); err == nil {
		return name, nil
	}
	if err := s.write(path, content); err != nil {
		return "", fmt.Errorf("evidence: put: %w", err)
	}
	return name, nil
}

func (s *Store) write(path string, content []byte) error {
	temporary, err := os.CreateTemp(s.dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(content)
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		os.Remove(temporary.Name())
	}
	return err
}

// Get returns the content that hash names, or ErrNotFound. Content that no
// longer has its hash is an error.
func (s *Store) Get(hash string) ([]byte, error) {
	if raw, err := hex.DecodeString(hash); err != nil || len(raw) != sha256.Size {
		return nil, fmt.Errorf("evidence: get %q: want 64 hex digits: %w", hash, ErrNotFound)
	}
	content, err := os.ReadFile(s.path(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("evidence: get %s: %w", hash, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("evidence: get: %w", err)
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != hash {
		return nil, fmt.Errorf("evidence: get %s: the file was changed, its hash is %x", hash, sum)
	}
	return content, nil
}

func (s *Store) path(hash string) string { return filepath.Join(s.dir, hash+".json") }
