package board

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// asset is a file of the page, in memory.
type asset struct {
	kind string
	data []byte
}

// The parts of the style sheets, in the order in which rules may override
// those before.
var (
	wallSheets   = []string{"base", "frame", "tiles", "campaign", "podium", "table", "ticker", "small", "wall"}
	reportSheets = []string{"base", "frame", "tiles", "campaign", "podium", "ticker", "report"}
)

// loadAssets reads what the page loads, and a version that changes with it.
func loadAssets(files fs.FS) (map[string]asset, string, error) {
	assets := map[string]asset{}
	kinds := map[string]string{".woff2": "font/woff2", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	names, err := fs.Glob(files, "assets/*")
	if err != nil {
		return nil, "", fmt.Errorf("board: %w", err)
	}
	for _, name := range names {
		kind, served := kinds[path.Ext(name)]
		if !served {
			continue
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, "", fmt.Errorf("board: %w", err)
		}
		assets[path.Base(name)] = asset{kind, data}
	}
	css, err := styleSheet(files, wallSheets)
	if err != nil {
		return nil, "", err
	}
	assets["wall.css"] = asset{"text/css; charset=utf-8", css}
	sum := sha256.New()
	sum.Write(css)
	sum.Write(assets["live.js"].data)
	return assets, hex.EncodeToString(sum.Sum(nil))[:12], nil
}

func styleSheet(files fs.FS, sheets []string) ([]byte, error) {
	var css bytes.Buffer
	for _, name := range sheets {
		data, err := fs.ReadFile(files, "assets/"+name+".css")
		if err != nil {
			return nil, fmt.Errorf("board: %w", err)
		}
		css.Write(data)
	}
	return css.Bytes(), nil
}

func (b *Board) asset(w http.ResponseWriter, r *http.Request) {
	a, found := b.assets[r.PathValue("name")]
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	if r.FormValue("v") == b.version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "no-cache")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.data))
}
