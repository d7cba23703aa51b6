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

// String returns text without the secrets.
func (r *Redactor) String(text string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, secret := range r.secrets {
		text = strings.ReplaceAll(text, secret, Redacted)
	}
	return text
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
