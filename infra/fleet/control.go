package fleet

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// LeaseHeader carries the lease of the roll-out that a request belongs to.
const LeaseHeader = "Fleet-Lease"

// Handler is the control API: JSON both ways, a bearer token, and errors as
// application/problem+json (RFC 9457) that say what was given and what is
// wanted. A roll-out takes the lease, names it in the header Fleet-Lease with
// all it does, and gives it back. Whose lease has ended, or was never, is told
// 409, and whose it is: so a roll-out that was believed dead can change nothing.
func (g *Group) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(http.ResponseWriter, *http.Request) (reply, error){
		"GET /v1/group":             g.getGroup,
		"PUT /v1/size":              g.putSize,
		"PUT /v1/packages/{name}":   g.putPackage,
		"POST /v1/instances":        g.postInstance,
		"GET /v1/instances/{id}":    g.getInstance,
		"DELETE /v1/instances/{id}": g.deleteInstance,
		"PUT /v1/release":           g.putRelease,
		"POST /v1/roll":             g.postRoll,
		"PUT /v1/roll":              g.putRoll,
		"DELETE /v1/roll":           g.deleteRoll,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			given, err := handle(w, r)
			if err != nil {
				g.fail(w, err)
				return
			}
			given.write(w)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.admits(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			g.fail(w, refusef(http.StatusUnauthorized, "want the group's token as a bearer token"))
			return
		}
		if _, pattern := mux.Handler(r); pattern == "" {
			w = &routing{ResponseWriter: w, fail: g.fail, asked: r.Method + " " + r.URL.Path}
		}
		mux.ServeHTTP(w, r)
	})
}

// admits compares digests: they have one length, whatever was sent.
func (g *Group) admits(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(g.o.Token))
	return subtle.ConstantTimeCompare(given[:], want[:]) == 1 && strings.EqualFold(scheme, "Bearer") && g.o.Token != ""
}

func (g *Group) getGroup(w http.ResponseWriter, _ *http.Request) (reply, error) {
	d := g.Describe()
	for i := range d.Instances {
		d.Instances[i].Log = nil
	}
	return reply{http.StatusOK, d}, nil
}

// putSize says how many instances are wanted; the group sees to it.
func (g *Group) putSize(w http.ResponseWriter, r *http.Request) (reply, error) {
	var asked struct{ Size int }
	if err := read(w, r, &asked); err != nil {
		return reply{}, err
	}
	if asked.Size < 1 || asked.Size > g.o.MaxSize {
		return reply{}, refusef(http.StatusUnprocessableEntity, "size: %d given; want 1 to %d", asked.Size, g.o.MaxSize)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.notAnothers(r); err != nil {
		return reply{}, err
	}
	if err := g.changeLocked(func(s *state) { s.Size = asked.Size }); err != nil {
		return reply{}, err
	}
	return reply{http.StatusOK, asked}, nil
}

// putRelease commits what replacements boot. What it was before is remembered.
func (g *Group) putRelease(w http.ResponseWriter, r *http.Request) (reply, error) {
	var next Release
	if err := read(w, r, &next); err != nil {
		return reply{}, err
	}
	if err := g.checkRelease(next); err != nil {
		return reply{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.hold(r); err != nil {
		return reply{}, err
	}
	if g.state.Release == nil || *g.state.Release != next {
		err := g.changeLocked(func(s *state) { s.Previous, s.Release = s.Release, &next })
		if err != nil {
			return reply{}, err
		}
		g.logf("the release is %s of package %s", next.Version, next.Package)
	}
	return reply{http.StatusOK, struct {
		Release  *Release `json:"release"`
		Previous *Release `json:"previous"`
	}{g.state.Release, g.state.Previous}}, nil
}

func (g *Group) checkRelease(r Release) error {
	if !visible(r.Version) {
		return refusef(http.StatusUnprocessableEntity, "version: %.80q given; want 1 to 200 visible ASCII characters", r.Version)
	}
	if _, err := g.command(r); err != nil {
		return err
	}
	return nil
}

// hold refuses a request that does not name the lease in force. The caller
// holds g.mu.
func (g *Group) hold(r *http.Request) error {
	if g.held(r.Header.Get(LeaseHeader)) {
		return nil
	}
	if g.lease == nil {
		return refusef(http.StatusConflict, "no roll-out is under way; want a lease from POST /v1/roll in the header %s", LeaseHeader)
	}
	return g.lease.refusal()
}

// notAnothers refuses a request while somebody else's roll-out is under way, and
// one that names a lease which is not in force: whoever took the lease acts on
// what was so while it lasted. The caller holds g.mu.
func (g *Group) notAnothers(r *http.Request) error {
	if g.held(r.Header.Get(LeaseHeader)) || g.lease == nil && r.Header.Get(LeaseHeader) == "" {
		return nil
	}
	return g.hold(r)
}

func (l *lease) refusal() error {
	return refusal{
		status: http.StatusConflict, lease: l.shown(),
		detail: fmt.Sprintf("a roll-out by %s is under way since %s", l.holder, l.since.UTC().Format(time.RFC3339)),
	}
}

// refusal is an error for whoever asked.
type refusal struct {
	status int
	detail string
	lease  *Lease
}

func (r refusal) Error() string { return r.detail }

func refusef(status int, format string, args ...any) error {
	return refusal{status: status, detail: fmt.Sprintf(format, args...)}
}

// Problem is the body of an error.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Lease  *Lease `json:"lease,omitempty"` // whose roll-out was in the way
}

// statuses are those of errors that come from below.
var statuses = []struct {
	err    error
	status int
}{
	{errDigest, http.StatusBadRequest},
	{errPackage, http.StatusUnprocessableEntity},
	{errNoPackage, http.StatusUnprocessableEntity},
	{errTaken, http.StatusConflict},
	{errTooLarge, http.StatusRequestEntityTooLarge},
	{errStopped, http.StatusServiceUnavailable},
}

// fail answers with what went wrong; what is in no table is ours.
func (g *Group) fail(w http.ResponseWriter, err error) {
	p := Problem{Type: "about:blank", Status: http.StatusInternalServerError, Detail: "the group's log says what went wrong"}
	var told refusal
	if errors.As(err, &told) {
		p.Status, p.Detail, p.Lease = told.status, told.detail, told.lease
	}
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			p.Status, p.Detail = s.status, err.Error()
		}
	}
	if p.Status == http.StatusInternalServerError {
		g.logf("control: %v", err)
	}
	p.Title = http.StatusText(p.Status)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a client that left needs no answer
}

// reply is what a handler answers. It is written once the handler holds no lock:
// a client may be slow.
type reply struct {
	status int
	body   any // nil: none
}

func (r reply) write(w http.ResponseWriter) {
	if r.body == nil {
		w.WriteHeader(r.status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(r.body) // a client that left needs no answer
}

// read decodes a body of JSON, small and without fields that nobody knows.
func read(w http.ResponseWriter, r *http.Request, into any) error {
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	body.DisallowUnknownFields()
	err := body.Decode(into)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return refusef(http.StatusRequestEntityTooLarge, "the body is longer than %d bytes", tooLarge.Limit)
	case err != nil:
		return refusef(http.StatusBadRequest, "the body is not the JSON that is wanted: %v", err)
	}
	return nil
}

// routing makes a problem of what the router answers by itself: 404 and 405.
type routing struct {
	http.ResponseWriter
	fail  func(http.ResponseWriter, error)
	asked string
}

func (r *routing) WriteHeader(status int) {
	r.fail(r.ResponseWriter, refusef(status, "%s given; want a call of the control API", r.asked))
}

func (r *routing) Write(p []byte) (int, error) { return len(p), nil }
