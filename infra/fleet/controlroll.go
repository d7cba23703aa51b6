package fleet

import (
	"net/http"
	"strings"
	"time"
)

// maxLease bounds how long a group goes without replacing what dies when a
// roll-out was killed.
const maxLease = 10 * time.Minute

// LeaseAnswer is what POST /v1/roll and PUT /v1/roll answer.
type LeaseAnswer struct {
	ID string `json:"lease"`
	Lease
}

// postRoll gives the lease to a roll-out.
func (g *Group) postRoll(w http.ResponseWriter, r *http.Request) (reply, error) {
	var asked struct {
		Holder  string
		Seconds float64
	}
	if err := read(w, r, &asked); err != nil {
		return reply{}, err
	}
	if asked.Holder == "" || len(asked.Holder) > 200 || strings.ContainsFunc(asked.Holder, func(r rune) bool { return r < ' ' || r > '~' }) {
		return reply{}, refusef(http.StatusUnprocessableEntity, "holder: %.80q given; want 1 to 200 printable ASCII characters that say who rolls out", asked.Holder)
	}
	lasts, err := duration(asked.Seconds)
	if err != nil {
		return reply{}, err
	}
	l, ok := g.take(asked.Holder, lasts)
	if !ok {
		return reply{}, l.refusal()
	}
	return reply{http.StatusCreated, LeaseAnswer{ID: l.id, Lease: *l.shown()}}, nil
}

func duration(seconds float64) (time.Duration, error) {
	lasts := time.Duration(seconds * float64(time.Second))
	if !(seconds >= 1 && seconds <= maxLease.Seconds()) {
		return 0, refusef(http.StatusUnprocessableEntity, "seconds: %g given; want 1 to %g", seconds, maxLease.Seconds())
	}
	return lasts, nil
}

// putRoll renews the lease.
func (g *Group) putRoll(w http.ResponseWriter, r *http.Request) (reply, error) {
	var asked struct{ Seconds float64 }
	if err := read(w, r, &asked); err != nil {
		return reply{}, err
	}
	lasts, err := duration(asked.Seconds)
	if err != nil {
		return reply{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.hold(r); err != nil {
		return reply{}, err
	}
	g.lease.until = time.Now().Add(lasts)
	return reply{http.StatusOK, LeaseAnswer{ID: g.lease.id, Lease: *g.lease.shown()}}, nil
}

// deleteRoll gives the lease back. That nobody has it is no error: the answer
// to the first try may have been lost.
func (g *Group) deleteRoll(w http.ResponseWriter, r *http.Request) (reply, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.held(r.Header.Get(LeaseHeader)):
		g.logf("roll-out by %s is over", g.lease.holder)
		g.lease = nil
	case g.lease != nil:
		return reply{}, g.lease.refusal()
	}
	return reply{http.StatusNoContent, nil}, nil
}

// postInstance launches one more instance, of any release, for the roll-out
// that holds the lease.
func (g *Group) postInstance(w http.ResponseWriter, r *http.Request) (reply, error) {
	var asked Release
	if err := read(w, r, &asked); err != nil {
		return reply{}, err
	}
	if err := g.checkRelease(asked); err != nil {
		return reply{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.hold(r); err != nil {
		return reply{}, err
	}
	// A roll-out that loops must not fill the machine.
	if most := 2*g.o.MaxSize + 2; len(g.machines) >= most {
		return reply{}, refusef(http.StatusUnprocessableEntity, "%d instances run or drain already; want fewer than %d", len(g.machines), most)
	}
	m, err := g.launch(asked)
	if err != nil {
		return reply{}, err
	}
	w.Header().Set("Location", "/v1/instances/"+m.id)
	return reply{http.StatusCreated, g.instance(m)}, nil
}

func (g *Group) getInstance(w http.ResponseWriter, r *http.Request) (reply, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.find(r.PathValue("id"))
	if m == nil {
		return reply{}, noInstance(r)
	}
	return reply{http.StatusOK, g.instance(m)}, nil
}

// deleteInstance takes an instance out of the balancer and lets it drain, or
// with ?now=true kills it. It answers at once; GET says when the instance has
// ended. Without a roll-out the group then replaces it.
func (g *Group) deleteInstance(w http.ResponseWriter, r *http.Request) (reply, error) {
	now := r.URL.Query().Get("now")
	if now != "" && now != "true" && now != "false" {
		return reply{}, refusef(http.StatusBadRequest, "now: %.20q given; want true or false", now)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.notAnothers(r); err != nil {
		return reply{}, err
	}
	m := g.find(r.PathValue("id"))
	if m == nil {
		return reply{}, noInstance(r)
	}
	if m.alive() {
		g.retire(m, now == "true")
	}
	return reply{http.StatusAccepted, g.instance(m)}, nil
}

func noInstance(r *http.Request) error {
	return refusef(http.StatusNotFound, "instance %.80q is not there, nor among the last %d that ended", r.PathValue("id"), remembered)
}
