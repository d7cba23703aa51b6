package nonce

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// served is every path that has an answer, as it stands in the request line:
// an escaped one is another path. Groups: the repository's name, the file.
var served = regexp.MustCompile(`^/git/([0-9a-f]{40})/nonce\.git/(HEAD|info/refs|objects/info/packs|objects/[0-9a-f]{2}/[0-9a-f]{38})$`)

// ServeHTTP answers GET and HEAD for the files that a dumb client asks for. All
// else is one and the same 404: who does not know a path learns nothing, and
// there is nothing to push to.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := served.FindStringSubmatch(r.URL.EscapedPath())
	if at == nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	dir, name := filepath.Join(h.dir, at[1], "nonce.git"), at[2]
	if known, err := exists(filepath.Join(dir, filepath.FromSlash(infoRefs))); !known || err != nil {
		http.NotFound(w, r)
		return
	}
	content, kind, err := answer(dir, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodGet {
		_, _ = w.Write(content)
	}
}

// answer is a file of a repository. Its objects are loose: there are no packs
// to tell of.
func answer(dir, name string) (content []byte, kind string, err error) {
	switch {
	case name == "objects/info/packs":
		return []byte("\n"), "text/plain; charset=utf-8", nil
	case strings.HasPrefix(name, "objects/"):
		kind = "application/x-git-loose-object"
	default:
		kind = "text/plain; charset=utf-8"
	}
	content, err = os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	return content, kind, err
}
