package registry

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// uploads keeps the pieces of a blob on disk until the request that names its
// digest. The registry behind it would gather them in memory: an image of a
// gigabyte takes several there while its buffer grows.
// (https://github.com/opencontainers/distribution-spec, "Pushing a blob in
// chunks"; a client that streams sends one piece without Content-Range.)
type uploads struct {
	dir  string
	next http.Handler
}

// upload is the path of one upload. The numbers are the registry's own.
var upload = regexp.MustCompile(`^/v2/.+/blobs/uploads/([0-9]+)$`)

// ServeHTTP implements http.Handler.
func (u *uploads) ServeHTTP(w http.ResponseWriter, asked *http.Request) {
	match := upload.FindStringSubmatch(asked.URL.Path)
	if match == nil {
		u.next.ServeHTTP(w, asked)
		return
	}
	file := filepath.Join(u.dir, match[1])
	switch asked.Method {
	case http.MethodPatch:
		u.piece(w, asked, file)
	case http.MethodPut:
		u.whole(w, asked, file)
	default:
		u.next.ServeHTTP(w, asked)
	}
}

// piece adds the body to what is there.
func (u *uploads) piece(w http.ResponseWriter, asked *http.Request, name string) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer file.Close()
	there, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if given := asked.Header.Get("Content-Range"); given != "" && !strings.HasPrefix(given, fmt.Sprintf("%d-", there)) {
		http.Error(w, fmt.Sprintf("Content-Range is %q, want it to begin at %d", given, there), http.StatusRequestedRangeNotSatisfiable)
		return
	}
	taken, err := io.Copy(file, asked.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Location", asked.URL.Path)
	w.Header().Set("Range", fmt.Sprintf("0-%d", max(there+taken-1, 0)))
	w.WriteHeader(http.StatusAccepted)
}

// whole hands all pieces to the registry as the body of the last request.
func (u *uploads) whole(w http.ResponseWriter, asked *http.Request, name string) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) { // all of it is in this request
		u.next.ServeHTTP(w, asked)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer os.Remove(name)
	defer file.Close()
	handed := asked.Clone(asked.Context())
	handed.Body = io.NopCloser(io.MultiReader(file, asked.Body))
	handed.ContentLength = -1
	u.next.ServeHTTP(w, handed)
}
