package evidence

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Redacted stands where a secret was.
const Redacted = "(redacted)"

// Redactor replaces secrets in texts. The zero Redactor knows none. Its
// methods may be called concurrently.
type Redactor struct {
	mu      sync.RWMutex
	secrets []string // longest first, so that none leaves a part of another behind
}

// Add makes the redactor know more secrets; empty ones are none. A secret is
// also known as it would stand in a URL.
func (r *Redactor) Add(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, secret := range secrets {
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
			if form != "" && !slices.Contains(r.secrets, form) {
				r.secrets = append(r.secrets, form)
			}
		}
	}
	slices.SortStableFunc(r.secrets, func(a, b string) int { return len(b) - len(a) })
}

// shortest is the length in bytes from which a secret is replaced wherever it
// occurs. A shorter one is replaced only where it stands alone: as a part of
// other words it tells nobody anything, and its removal would garble them.
const shortest = 8

// String returns text without the secrets.
func (r *Redactor) String(text string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var clean strings.Builder
	for at := 0; at < len(text); {
		if length := r.secretAt(text, at); length > 0 {
			clean.WriteString(Redacted)
			at += length
			continue
		}
		clean.WriteByte(text[at])
		at++
	}
	return clean.String()
}

// secretAt returns the length of the longest secret that begins at, or 0. The
// caller holds r.mu.
func (r *Redactor) secretAt(text string, at int) int {
	for _, secret := range r.secrets {
		end := at + len(secret)
		if strings.HasPrefix(text[at:], secret) &&
			(len(secret) >= shortest || !inWord(text, at-1) && !inWord(text, end)) {
			return len(secret)
		}
	}
	return 0
}

// inWord says whether the byte at i is a part of a word.
func inWord(text string, i int) bool {
	if i < 0 || i >= len(text) {
		return false
	}
	c := text[i]
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= 0x80
}

// JSON returns the document without the secrets in its strings. It goes string
// by string rather than over the bytes: a secret may hold what JSON escapes,
// and a short one may occur in numbers.
func (r *Redactor) JSON(document []byte) []byte {
	out := make([]byte, 0, len(document))
	for i := 0; i < len(document); {
		if document[i] != '"' {
			out = append(out, document[i])
			i++
			continue
		}
		end := i + 1
		for ; end < len(document)-1 && document[end] != '"'; end++ {
			if document[end] == '\\' {
				end++
			}
		}
		out = append(out, r.literal(document[i:end+1])...)
		i = end + 1
	}
	return out
}

// literal redacts one JSON string, quotes included.
func (r *Redactor) literal(quoted []byte) []byte {
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return []byte(`"` + Redacted + `"`) // better lost than shown
	}
	clean := r.String(text)
	if clean == text {
		return quoted
	}
	spelled, err := json.Marshal(clean)
	if err != nil {
		return []byte(`"` + Redacted + `"`)
	}
	return spelled
}
