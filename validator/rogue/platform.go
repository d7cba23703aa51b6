package rogue

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// limits of the platform, as it publishes them.
const (
	objectBytes  = 256 << 20
	processBytes = 64 << 20
)

// object is one stored object.
type object struct {
	body     []byte
	etag     string
	media    string
	modified time.Time
	meta     http.Header // at silver
}

func (o object) describe(key string) map[string]any {
	return map[string]any{"key": key, "size": len(o.body), "etag": o.etag, "content_type": o.media, "modified": o.modified}
}

// platform is an honest platform of level bronze, or silver, that keeps its
// objects in memory. It shares no line with the reference platform: it is a second
// reading of the contract.
type platform struct {
	token, reader, contest string
	instance               string
	started                time.Time
	silver                 bool
	requests, writes       atomic.Int64
	backing                *backing // nil: memory alone

	mu      sync.RWMutex
	version string
	objects map[string]object
}

func newPlatform() *platform {
	return &platform{
		token: rand.Text(), reader: rand.Text(), contest: "rogues", instance: "i-" + rand.Text()[:6],
		started: time.Now().UTC(), version: "1", objects: map[string]object{},
	}
}

// refusal is an answer that is an error.
type refusal struct {
	status int
	detail string
}

func (r refusal) Error() string { return r.detail }

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := fmt.Sprintf("%s-%d", p.instance, p.requests.Add(1))
	w.Header().Set("Request-Id", id)
	if err := p.serve(w, r); err != nil {
		p.refuse(w, id, err)
	}
}

func (p *platform) serve(w http.ResponseWriter, r *http.Request) error {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	switch {
	case path == "/healthz", path == "/readyz":
		return nil
	case path == "/.well-known/bogops.json":
		return writeJSON(w, http.StatusOK, p.describe())
	case !strings.HasPrefix(path, "/v1/"):
		return refusal{404, "no such route"}
	}
	w.Header().Set("Bogops-Instance", p.instance)
	w.Header().Set("Bogops-Version", p.running())
	if err := p.authorize(w, r); err != nil {
		return err
	}
	if escaped, ok := strings.CutPrefix(path, "/v1/evidence/"); ok && p.backing != nil {
		return p.evidence(w, r, escaped)
	}
	if p.silver && path == "/v1/objects" && r.Method == http.MethodGet {
		return p.page(w, r)
	}
	escaped, ok := strings.CutPrefix(path, "/v1/objects/")
	if !ok {
		return refusal{404, "no such route"}
	}
	handle, ok := map[string]func(http.ResponseWriter, *http.Request, string) error{
		http.MethodPut: p.put, http.MethodGet: p.get, http.MethodHead: p.get, http.MethodDelete: p.remove,
	}[r.Method]
	if !ok {
		w.Header().Set("Allow", "DELETE, GET, HEAD, PUT")
		return refusal{405, "want GET, HEAD, PUT or DELETE"}
	}
	key, err := url.PathUnescape(escaped)
	if err != nil || !isKey(key) {
		return refusal{400, "bad key"}
	}
	return handle(w, r, key)
}

func (p *platform) authorize(w http.ResponseWriter, r *http.Request) error {
	reads := r.Method != http.MethodPut && r.Method != http.MethodDelete
	switch r.Header.Get("Authorization") {
	case "Bearer " + p.token:
		return nil
	case "Bearer " + p.reader:
		if reads {
			return nil
		}
		return refusal{403, "the reader may not write"}
	}
	w.Header().Set("WWW-Authenticate", "Bearer")
	return refusal{401, "want a bearer token"}
}

// isKey follows section 1 of the contract.
func isKey(key string) bool {
	if len(key) == 0 || len(key) > 1024 || !utf8.ValidString(key) {
		return false
	}
	for _, c := range key {
		if c < 0x20 || c >= 0x7f && c <= 0x9f {
			return false
		}
	}
	for _, segment := range strings.Split(key, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

func (p *platform) put(w http.ResponseWriter, r *http.Request, key string) error {
	if r.ContentLength > objectBytes {
		w.Header().Set("Connection", "close")
		return refusal{413, "want at most 256 MiB"}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, objectBytes+1))
	if err != nil {
		return refusal{400, "the body broke off"}
	}
	if len(body) > objectBytes {
		return refusal{413, "want at most 256 MiB"}
	}
	media := r.Header.Get("Content-Type")
	if media == "" {
		media = "application/octet-stream"
	}
	etag := fmt.Sprintf(`"%x-%d"`, sha256.Sum256(body), p.writes.Add(1))
	o := object{body: body, etag: etag, media: media, modified: time.Now().UTC()}
	replaced, err := p.store(r, key, o)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if replaced {
		status = http.StatusOK
	}
	w.Header().Set("ETag", etag)
	w.Header().Set("Location", (&url.URL{Path: "/v1/objects/" + key}).EscapedPath())
	return writeJSON(w, status, o.describe(key))
}

// store keeps o, and tells whether it replaced another object.
func (p *platform) store(r *http.Request, key string, o object) (replaced bool, err error) {
	if p.silver {
		if o.meta, err = metaOf(r.Header); err != nil {
			return false, err
		}
		if err := errors.Join(both(r), checkDigest(r.Header.Get("Content-Digest"), o.body)); err != nil {
			return false, refusal{400, err.Error()}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silver {
		if err := p.precondition(r, key); err != nil {
			return false, err
		}
	}
	_, replaced = p.objects[key]
	p.objects[key] = o
	if p.backing != nil {
		p.backing.write(key, o)
	}
	return replaced, nil
}

func (p *platform) get(w http.ResponseWriter, r *http.Request, key string) error {
	chains, processed := r.URL.Query()["process"]
	var steps []step
	if processed {
		var ok bool
		if steps, ok = p.parse(chains); !ok || r.Method == http.MethodHead {
			return refusal{400, "bad process"}
		}
	}
	p.mu.RLock()
	o, ok := p.objects[key]
	known := ok && p.backing != nil
	if known {
		o.body, ok = p.backing.read(key, o)
	}
	p.mu.RUnlock()
	if known && !ok && p.backing.sheds {
		return refusal{429, "busy"}
	}
	if !ok {
		return refusal{404, "no such object"}
	}
	if processed {
		w.Header().Set("Cache-Control", "no-store")
		o.media = "application/octet-stream"
		if strings.HasSuffix(chains[0], "gzip") {
			o.media = "application/gzip"
		}
		for _, apply := range steps {
			if len(o.body) > processBytes {
				return refusal{422, "too large to process"}
			}
			o.body = apply(o.body)
		}
	} else {
		w.Header().Set("ETag", o.etag)
		w.Header().Set("Last-Modified", o.modified.Format(http.TimeFormat))
	}
	if p.silver && !processed {
		return whole(w, r, o)
	}
	return send(w, r, http.StatusOK, o)
}

func send(w http.ResponseWriter, r *http.Request, status int, o object) error {
	w.Header().Set("Content-Type", o.media)
	w.Header().Set("Content-Length", fmt.Sprint(len(o.body)))
	w.WriteHeader(status)
	_, err := w.Write(o.body)
	if err != nil && r.Method != http.MethodHead {
		panic(http.ErrAbortHandler) // the client is gone
	}
	return nil
}

func (p *platform) remove(w http.ResponseWriter, r *http.Request, key string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silver {
		if err := p.precondition(r, key); err != nil {
			return err
		}
	}
	delete(p.objects, key)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (p *platform) refuse(w http.ResponseWriter, id string, err error) {
	status := http.StatusInternalServerError
	if r, ok := err.(refusal); ok {
		status = r.status
	}
	body, _ := json.Marshal(map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": err.Error(), "instance": id,
	})
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func writeJSON(w http.ResponseWriter, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
	return nil
}
