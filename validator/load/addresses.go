package load

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"
)

// How long a resolved name is believed, and how long an address is still used
// after it vanished from its name: a load balancer shows a part of its
// addresses at a time.
const (
	resolveEvery = 15 * time.Second
	keepVanished = 2 * time.Minute
)

// addresses connects to every address of a name in turn. The dialer of the
// standard library would stay with the first.
type addresses struct {
	config Config

	mu    sync.Mutex
	names map[string]*name
}

type name struct {
	asked time.Time
	known []address
	next  int
}

type address struct {
	ip   string
	seen time.Time
}

func newAddresses(c Config) *addresses {
	return &addresses{config: c, names: map[string]*name{}}
}

// dial connects to the next address, and to those after it while one fails.
func (a *addresses) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	to := a.config.Target.Address(hostPort)
	host, port, err := net.SplitHostPort(to)
	if err != nil || net.ParseIP(host) != nil {
		return a.config.dial(ctx, network, to)
	}
	ips, err := a.resolve(ctx, host, time.Now())
	if err != nil {
		return nil, err
	}
	var failures []error
	for _, ip := range ips {
		conn, err := a.config.dial(ctx, network, net.JoinHostPort(ip, port))
		if err == nil {
			return conn, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

// resolve returns the addresses of host, another one first each time.
func (a *addresses) resolve(ctx context.Context, host string, now time.Time) ([]string, error) {
	a.mu.Lock()
	n := a.names[host]
	if n == nil {
		n = &name{}
		a.names[host] = n
	}
	ask := now.Sub(n.asked) >= resolveEvery
	if ask {
		n.asked = now // one asks, the others use what is known
	}
	a.mu.Unlock()
	if ask {
		resolver := a.config.Target.Resolver
		if resolver == nil {
			resolver = net.DefaultResolver
		}
		found, err := resolver.LookupHost(ctx, host)
		a.mu.Lock()
		defer a.mu.Unlock()
		if err != nil {
			n.asked = time.Time{}
		}
		n.merge(found, now)
		if len(n.known) == 0 && err != nil {
			return nil, err
		}
		return n.turn(), nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(n.known) == 0 {
		return []string{host}, nil // the first answer is still awaited: resolve by the dialer
	}
	return n.turn(), nil
}

func (n *name) merge(found []string, now time.Time) {
	for _, ip := range found {
		i := slices.IndexFunc(n.known, func(a address) bool { return a.ip == ip })
		if i < 0 {
			n.known = append(n.known, address{ip: ip})
			i = len(n.known) - 1
		}
		n.known[i].seen = now
	}
	n.known = slices.DeleteFunc(n.known, func(a address) bool { return now.Sub(a.seen) > keepVanished })
}

func (n *name) turn() []string {
	n.next++
	var ips []string
	for i := range n.known {
		ips = append(ips, n.known[(n.next+i)%len(n.known)].ip)
	}
	return ips
}
