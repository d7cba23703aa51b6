package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// nonces is the judge's repository, as it serves it: bare, over dumb HTTP.
type nonces struct {
	work
	bare    string
	address string
}

func hostNonces(t *testing.T) nonces {
	t.Helper()
	dir := t.TempDir()
	n := nonces{work: work{t, t.TempDir()}, bare: filepath.Join(dir, "nonce.git")}
	n.git("init", "-q", "--bare", "-b", "main", n.bare)
	n.git("init", "-q", "-b", "main")
	n.git("remote", "add", "origin", n.bare)
	n.set("first")
	n.address = serve(t, http.FileServerFS(os.DirFS(dir)))
	return n
}

// set commits a nonce, and writes the files that a client without a git server
// reads first.
func (n nonces) set(nonce string) {
	n.t.Helper()
	n.write("NONCE", nonce+"\n")
	n.push("a fresh nonce")
	n.git("--git-dir", n.bare, "update-server-info")
	require.FileExists(n.t, filepath.Join(n.bare, "info/refs"))
}
