package fleet

import "time"

// Description is what GET /v1/group answers: what is wanted, and what runs.
type Description struct {
	ID        string     `json:"id"`
	Size      Size       `json:"size"`
	Release   *Release   `json:"release"`  // null before the first deployment
	Previous  *Release   `json:"previous"` // null before the second
	Lease     *Lease     `json:"lease"`    // null while no roll-out is under way
	Instances []Instance `json:"instances"`
	Packages  []Package  `json:"packages"`
}

// Size is how many instances are wanted, run, and are ready.
type Size struct {
	Wanted int `json:"wanted"`
	Actual int `json:"actual"`
	Ready  int `json:"ready"`
	Most   int `json:"most"` // that may be wanted
}

// Lease says whose roll-out is under way.
type Lease struct {
	Holder string    `json:"holder"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"` // unless it is renewed
}

// The states of an instance, in order.
const (
	Starting = "starting" // does not listen yet
	Running  = "running"
	Draining = "draining" // out of the balancer, finishes what it has begun
	Ended    = "ended"
)

// Instance is one machine as it is seen from outside.
type Instance struct {
	ID string `json:"id"`
	Release
	State   string    `json:"state"`
	Ready   bool      `json:"ready"`
	Reason  string    `json:"reason,omitempty"` // why it is not ready, or how it ended
	Started time.Time `json:"started"`
	Log     []string  `json:"log,omitempty"` // its first and last lines, where one instance is asked about
}

// Describe says what is wanted and what runs.
func (g *Group) Describe() Description {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.endLease(time.Now())
	d := Description{
		ID: g.o.ID, Release: g.state.Release, Previous: g.state.Previous,
		Size:      Size{Wanted: g.state.Size, Most: g.o.MaxSize},
		Instances: []Instance{}, Packages: g.packages.list(),
	}
	if g.lease != nil {
		d.Lease = g.lease.shown()
	}
	for _, m := range g.machines {
		i := g.instance(m)
		if i.State == Ended {
			continue
		}
		d.Instances = append(d.Instances, i)
		if i.State != Draining {
			d.Size.Actual++
			d.Size.Ready += count(i.Ready)
		}
	}
	return d
}

func (l *lease) shown() *Lease {
	return &Lease{Holder: l.holder, Since: l.since.UTC(), Until: l.until.UTC()}
}

// instance describes m. The caller holds g.mu.
func (g *Group) instance(m *machine) Instance {
	i := Instance{ID: m.id, Release: m.release, Started: m.started.UTC(), State: Running}
	lines, why := m.said()
	i.Log = lines
	switch {
	case !m.alive():
		i.State, i.Reason = Ended, why
	case m.draining:
		i.State, i.Reason = Draining, "it drains"
	case !isClosed(m.listens):
		i.State, i.Reason = Starting, "it does not listen yet"
	default:
		seen := g.balancer.look(m.id)
		i.Ready, i.Reason = seen.ready, seen.reason
		if !seen.ready && seen.reason == "" {
			i.Reason = "it has not been asked yet"
		}
	}
	return i
}
