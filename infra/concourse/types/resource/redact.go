package resource

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// redactor passes lines on without the secrets in them: as they are, and as
// they stand in a URL or in base64. It holds a line back until it is whole,
// since a secret may come in two pieces.
type redactor struct {
	next io.Writer

	mu      sync.Mutex // a program and its child may both write
	hidden  *strings.Replacer
	pending []byte
}

func (r *redactor) hide(secrets []string) {
	var known []string
	for _, s := range secrets {
		// Of several lines (a key) each one by itself.
		for line := range strings.Lines(s) {
			if line = strings.TrimSpace(line); line != "" {
				known = append(known, line, url.QueryEscape(line), url.PathEscape(line),
					strings.TrimPrefix(url.UserPassword("", line).String(), ":"),
					base64.StdEncoding.EncodeToString([]byte(line)))
			}
		}
	}
	// The longest first: one may be a part of another.
	slices.SortFunc(known, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, k := range known {
		pairs = append(pairs, k, "[hidden]")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hidden = strings.NewReplacer(pairs...)
}

// Write implements io.Writer.
func (r *redactor) Write(text []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = append(r.pending, text...)
	end := bytes.LastIndexAny(r.pending, "\r\n") + 1 // git draws progress with \r
	if end == 0 {
		return len(text), nil
	}
	err := r.pass(r.pending[:end])
	r.pending = bytes.Clone(r.pending[end:])
	return len(text), err
}

func (r *redactor) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.pass(r.pending) // the log of a build that is over is nobody's to repair
	r.pending = nil
}

func (r *redactor) pass(text []byte) error {
	if r.hidden == nil {
		_, err := r.next.Write(text)
		return err
	}
	_, err := r.hidden.WriteString(r.next, string(text))
	return err
}
