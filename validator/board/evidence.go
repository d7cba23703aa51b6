package board

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"unicode/utf8"
)

// evidenceFace is one file of evidence, as text.
type evidenceFace struct{ Lang, Version, Hash, Text string }

// evidencePage shows what a verdict rests on. The name of a file is the
// SHA-256 of its bytes, and is checked: evidence that was altered is not shown
// as evidence.
func (b *Board) evidencePage(w http.ResponseWriter, r *http.Request) {
	hash := r.PathValue("hash")
	raw, err := hex.DecodeString(hash)
	if err != nil || len(raw) != sha256.Size || hash != hex.EncodeToString(raw) {
		http.Error(w, "Evidence is named by 64 lower-case hex digits.", http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	a := b.artist
	b.mu.Unlock()
	if b.evidence == nil {
		http.Error(w, a.t("no.evidence"), http.StatusNotFound)
		return
	}
	data, err := b.evidence(hash)
	if err != nil {
		b.logger.Info("evidence is not shown", "hash", hash, "error", err)
		http.Error(w, a.t("no.evidence"), http.StatusNotFound)
		return
	}
	if sum := sha256.Sum256(data); !bytes.Equal(sum[:], raw) {
		b.logger.Error("evidence was altered", "hash", hash)
		http.Error(w, "This evidence is not what its name says: its bytes were altered.", http.StatusInternalServerError)
		return
	}
	html, err := a.draw("evidence", evidenceFace{a.Lang, b.version, hash, pretty(data)})
	if err != nil {
		b.logger.Error("evidence is not drawn", "hash", hash, "error", err)
		http.Error(w, "The evidence cannot be drawn; the judge's log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(html))
}

// pretty is data as a person reads it: JSON indented, other text as it is.
func pretty(data []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, data, "", "  ") == nil {
		return b.String()
	}
	if utf8.Valid(data) {
		return string(data)
	}
	return hex.Dump(data)
}
