package rehearse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"bogops/validator/chaos"
)

// platform is one team's whole platform on this machine: instances of the
// reference app that share a directory, behind a balancer, and a group that
// replaces an instance which died.
type platform struct {
	id     string // team
	app    string // path of the binary
	size   int    // instances wanted
	args   []string
	env    []string
	log    io.Writer
	lb     *balancer
	ctx    context.Context // ends with the platform
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu       sync.Mutex
	machines []*machine
	version  string
	rolling  bool // a roll-out replaces instances itself
	counter  int
}

// replaceAfter is what a group takes to notice that an instance is gone.
const replaceAfter = 1500 * time.Millisecond

// drainWithin bounds the drain of one instance.
const drainWithin = 12 * time.Second

// start boots all instances and the group that keeps their number.
func (p *platform) start(ctx context.Context, version string) error {
	// A platform outlives the day that it is judged in: only stop ends it.
	p.ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.version = version
	for range p.size {
		if err := p.add(ctx, version); err != nil {
			p.stop()
			return fmt.Errorf("platform %s: %w", p.id, err)
		}
	}
	p.group.Add(1)
	go p.keep()
	return nil
}

// stop ends the group, then every instance at once.
func (p *platform) stop() {
	if p.cancel == nil {
		return
	}
	p.cancel()
	p.group.Wait()
	p.mu.Lock()
	machines := slices.Clone(p.machines)
	p.machines = nil
	p.mu.Unlock()
	for _, m := range machines {
		m.kill()
	}
	p.lb.close()
}

// add boots one instance and puts it behind the balancer.
func (p *platform) add(ctx context.Context, version string) error {
	p.mu.Lock()
	p.counter++
	id := fmt.Sprintf("%s-%d", p.id, p.counter)
	p.mu.Unlock()
	m, err := boot(ctx, p.app, id, version, p.args, p.env, p.log)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.machines = append(p.machines, m)
	p.tell()
	return nil
}

// tell gives the balancer the instances that live. The caller holds p.mu.
func (p *platform) tell() {
	var list []backend
	for _, m := range p.machines {
		list = append(list, m.backend)
	}
	p.lb.set(list)
}

// keep replaces instances that died, as an autoscaling group does.
func (p *platform) keep() {
	defer p.group.Done()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	var missing time.Time
	for {
		select {
		case <-p.ctx.Done():
			return
		case now := <-ticker.C:
			switch short, version := p.short(); {
			case !short:
				missing = time.Time{}
			case missing.IsZero():
				missing = now
			case now.Sub(missing) >= replaceAfter:
				if err := p.add(p.ctx, version); err != nil {
					fmt.Fprintf(p.log, "group: replacing an instance of %s: %v\n", p.id, err)
				}
			}
		}
	}
}

// short forgets the dead and says whether an instance is missing.
func (p *platform) short() (short bool, version string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	living := slices.DeleteFunc(slices.Clone(p.machines), func(m *machine) bool { return !m.alive() })
	if len(living) != len(p.machines) {
		p.machines = living
		p.tell()
	}
	return len(p.machines) < p.size && !p.rolling, p.version
}

// victim picks the instance that a fault hits: the oldest.
func (p *platform) victim() (*machine, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.machines {
		if m.alive() {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%w: platform %s has no running instance", chaos.ErrRefused, p.id)
}

// whole returns nil when as many instances as wanted run and are ready.
func (p *platform) whole() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	ready := 0
	for _, m := range p.machines {
		if m.alive() && p.lb.isReady(m.id) {
			ready++
		}
	}
	if ready < p.size {
		return fmt.Errorf("%d of %d instances are ready", ready, p.size)
	}
	return nil
}

// awaitWhole waits until the platform is whole, and returns what it lacks
// when ctx ends before.
func (p *platform) awaitWhole(ctx context.Context) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := p.whole()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-ticker.C:
		}
	}
}

// refill boots what is missing at once, and says whether anything was.
func (p *platform) refill(ctx context.Context) (acted bool, err error) {
	for {
		short, version := p.short()
		if !short {
			return acted, nil
		}
		acted = true
		if err := p.add(ctx, version); err != nil {
			return acted, err
		}
	}
}

// readyWithin bounds how long a new instance of a roll-out may take.
const readyWithin = 20 * time.Second

// roll replaces every instance by one of the new version, one at a time: a new
// one in, ready, then an old one drained and out. When a new one does not get
// ready in time it is removed and the old ones stay.
func (p *platform) roll(ctx context.Context, version string, readyWithin time.Duration) error {
	p.mu.Lock()
	p.rolling = true
	old := slices.Clone(p.machines)
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.rolling = false
		p.mu.Unlock()
	}()
	for range p.size {
		if err := p.add(ctx, version); err != nil {
			return err
		}
		p.mu.Lock()
		fresh := p.machines[len(p.machines)-1]
		p.mu.Unlock()
		if err := p.awaitReady(ctx, fresh, readyWithin); err != nil {
			p.remove(fresh)
			fresh.kill()
			return errors.Join(fmt.Errorf("%s stays at the version before", p.id), err)
		}
		if len(old) > 0 {
			// Out of the balancer first, then drained: nothing new reaches it.
			p.remove(old[0])
			if err := old[0].retire(drainWithin); err != nil {
				return err
			}
			old = old[1:]
		}
	}
	p.mu.Lock()
	p.version = version
	p.mu.Unlock()
	return nil
}

// remove takes an instance out of the balancer; the process goes on.
func (p *platform) remove(gone *machine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.machines = slices.DeleteFunc(p.machines, func(m *machine) bool { return m == gone })
	p.tell()
}

func (p *platform) awaitReady(ctx context.Context, m *machine, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for !p.lb.isReady(m.id) {
		select {
		case <-m.gone:
			return fmt.Errorf("instance %s ended before it was ready: see its log", m.id)
		case <-ctx.Done():
			return fmt.Errorf("instance %s was not ready within %s", m.id, within)
		case <-ticker.C:
		}
	}
	return nil
}
