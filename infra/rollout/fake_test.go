package rollout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// stage is a fleet that exists only in a test, whose time is virtual. It counts
// what no roll-out may do.
type stage struct {
	mu       sync.Mutex // for all below; on is called under it
	size     int
	release  *Release
	previous *Release
	packages map[string]bool
	all      []*actor
	counter  int
	holder   *grip // who has the lease
	boots    time.Duration

	// on is asked before each call, named as the method and its subject, and may
	// refuse it or change what it likes; the call named hangs lasts until its
	// context ends. never says who is never ready.
	on     func(call string) error
	hangs  string
	never  func(Release) bool
	wrongs []string // what should never have been done
	told   []string
}

type actor struct {
	id       string
	release  Release
	begins   time.Time // of being ready
	unwell   bool
	draining bool
	gone     bool
}

var (
	v1 = Release{"one", "v1"}
	v2 = Release{"two", "v2"}
)

// playing is a fleet that runs size instances of v1, which came after v0.
func playing(size int) *stage {
	s := &stage{
		size: size, release: &Release{"one", "v1"}, previous: &Release{"zero", "v0"}, boots: 2 * time.Second,
		packages: map[string]bool{"zero": true, "one": true, "two": true},
	}
	for range size {
		s.add(v1).begins = time.Now()
	}
	return s
}

func (s *stage) add(r Release) *actor {
	s.counter++
	a := &actor{id: fmt.Sprintf("i-%d", s.counter), release: r, begins: time.Now().Add(s.boots)}
	if s.never != nil && s.never(r) {
		a.begins = time.Now().Add(1000 * time.Hour)
	}
	s.all = append(s.all, a)
	return a
}

func (s *stage) find(id string) *actor {
	for _, a := range s.all {
		if a.id == id {
			return a
		}
	}
	return nil
}

func (a *actor) ready() bool {
	return !a.gone && !a.draining && !a.unwell && !time.Now().Before(a.begins)
}

func (s *stage) ready() (n int) {
	for _, a := range s.all {
		if a.ready() {
			n++
		}
	}
	return n
}

// runs lists the versions of what lives, sorted, with a mark at what is not
// ready.
func (s *stage) runs() string {
	var all []string
	for _, a := range s.all {
		switch {
		case a.gone || a.draining:
		case a.ready():
			all = append(all, a.release.Version)
		default:
			all = append(all, a.release.Version+"?")
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// asked begins a call, and locks unless it is refused.
func (s *stage) asked(ctx context.Context, call string) error {
	if call == s.hangs {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.mu.Lock()
	if s.on != nil {
		if err := s.on(call); err != nil {
			s.mu.Unlock()
			return err
		}
	}
	return nil
}

func (s *stage) Describe(ctx context.Context) (State, error) {
	if err := s.asked(ctx, "describe"); err != nil {
		return State{}, err
	}
	defer s.mu.Unlock()
	d := State{Size: s.size, Release: s.release, Previous: s.previous}
	for _, a := range s.all {
		if !a.gone {
			d.Instances = append(d.Instances, a.shown())
		}
	}
	return d, nil
}

func (a *actor) shown() Instance {
	i := Instance{ID: a.id, Release: a.release, Phase: Running, Ready: a.ready()}
	switch {
	case a.gone:
		i.Phase, i.Reason = Gone, "ended: exit status 3"
	case a.draining:
		i.Phase = Draining
	case !i.Ready:
		i.Reason = "its /readyz answers 503: no store"
	}
	return i
}

func (s *stage) Instance(ctx context.Context, id string) (Instance, error) {
	if err := s.asked(ctx, "instance "+id); err != nil {
		return Instance{}, err
	}
	defer s.mu.Unlock()
	if a := s.find(id); a != nil {
		i := a.shown()
		i.Log = []string{"opening the store", "no store was found"}
		return i, nil
	}
	return Instance{ID: id, Phase: Gone}, nil
}

func (s *stage) Upload(ctx context.Context, p Package) error {
	if err := s.asked(ctx, "upload "+p.Name); err != nil {
		return err
	}
	defer s.mu.Unlock()
	body, err := p.Open()
	if err != nil {
		return err
	}
	defer body.Close()
	s.packages[p.Name] = true
	_, err = io.Copy(io.Discard, body)
	return err
}

func (s *stage) Resize(ctx context.Context, size int) error {
	if err := s.asked(ctx, "resize"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.size = size
	return nil
}

func (s *stage) Lease(ctx context.Context, holder string, lasts time.Duration) (Lease, error) {
	if err := s.asked(ctx, "lease"); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if s.holder != nil && time.Now().Before(s.holder.until) {
		return nil, fmt.Errorf("%w: by %s", ErrHeld, s.holder.name)
	}
	s.holder = &grip{stage: s, name: holder, until: time.Now().Add(lasts)}
	return s.holder, nil
}

// grip is a lease on the stage.
type grip struct {
	stage *stage
	name  string
	until time.Time
}

// use begins a call under the lease, and locks unless it is refused.
func (g *grip) use(ctx context.Context, call string) error {
	if err := g.stage.asked(ctx, call); err != nil {
		return err
	}
	if g.stage.holder != g || !time.Now().Before(g.until) {
		g.stage.mu.Unlock()
		return ErrLost
	}
	return nil
}

func (g *grip) Launch(ctx context.Context, r Release) (string, error) {
	if err := g.use(ctx, "launch "+r.Version); err != nil {
		return "", err
	}
	defer g.stage.mu.Unlock()
	if !g.stage.packages[r.Package] {
		return "", errors.New("no such package")
	}
	return g.stage.add(r).id, nil
}

func (g *grip) Retire(ctx context.Context, id string, now bool) error {
	if err := g.use(ctx, "retire "+id); err != nil {
		return err
	}
	s, a := g.stage, g.stage.find(id)
	if a.ready() && s.ready() <= s.size {
		s.wrongs = append(s.wrongs, fmt.Sprintf("%s was sent away when %d of %d were ready", id, s.ready(), s.size))
	}
	if a.ready() && now {
		s.wrongs = append(s.wrongs, id+" was ready and was not let drain")
	}
	a.draining = true
	if now {
		defer s.mu.Unlock()
		a.gone = true
		return nil
	}
	s.mu.Unlock()
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	if err := s.asked(ctx, "drained "+id); err != nil {
		return err
	}
	defer s.mu.Unlock()
	a.gone = true
	return nil
}

func (g *grip) Commit(ctx context.Context, r Release) error {
	if err := g.use(ctx, "commit "+r.Version); err != nil {
		return err
	}
	if s := g.stage; s.release == nil || *s.release != r {
		s.previous, s.release = s.release, &r
	}
	g.stage.mu.Unlock()
	if err := g.stage.asked(ctx, "committed "+r.Version); err != nil {
		return err
	}
	g.stage.mu.Unlock()
	return nil
}

func (g *grip) Renew(ctx context.Context, lasts time.Duration) error {
	if err := g.use(ctx, "renew"); err != nil {
		return err
	}
	defer g.stage.mu.Unlock()
	g.until = time.Now().Add(lasts)
	return nil
}

func (g *grip) End(ctx context.Context) error {
	if err := g.use(ctx, "end"); err != nil {
		return err
	}
	defer g.stage.mu.Unlock()
	g.stage.holder = nil
	return nil
}

// options are the defaults, and the lines are kept.
func (s *stage) options() Options {
	return Options{Holder: "a test", Told: func(line string) { s.told = append(s.told, line) }}
}
