package concourse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// gateway is the host as task containers see it: the bridge that Concourse's
// containerd worker makes, at the first address of its default network pool.
const gateway = "10.80.0.1"

// A service is one of the host's that containers reach.
type service struct {
	*forwarder
	address string // as they see it
}

// connect makes the ways between this machine and Concourse's own network. They
// end with this process, or with Close.
func (s *Server) connect(ctx context.Context) error {
	pid, err := os.ReadFile(filepath.Join(s.dir, "run", "pid"))
	if err != nil {
		return fmt.Errorf("concourse: %s does not run: %w", s.dir, err)
	}
	number := strings.TrimSpace(string(pid))
	if groups, err := os.ReadFile("/proc/" + number + "/cgroup"); err != nil || !strings.Contains(string(groups), "bogops-concourse-"+s.settings["id"]) {
		return fmt.Errorf("concourse: %s does not run: its first process, %s, is gone", s.dir, number)
	}
	if s.network, err = enter(number); err != nil {
		return err
	}
	s.services = map[string]service{}
	inside, outside := "127.0.0.1:"+s.settings["port"], "127.0.0.1:"+s.settings["port"]
	if s.settings["name"] != "" {
		inside, outside = "127.0.0.1:443", "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp4", outside)
	if err != nil { // another process that uses the same Concourse was first
		listener, err = net.Listen("tcp4", "127.0.0.1:0")
	}
	if err != nil {
		s.network.leave()
		return fmt.Errorf("concourse: %w", err)
	}
	s.web = forward(listener, func(ctx context.Context) (net.Conn, error) { return s.network.dial(ctx, inside) })
	if directory := s.settings["acme"]; directory != "" {
		if err := s.bringAuthority(ctx, directory); err != nil {
			return errors.Join(err, s.Close())
		}
	}
	return nil
}

// bringAuthority makes the ACME directory reachable under the very address that
// it has on the host: its certificate is for that one.
func (s *Server) bringAuthority(ctx context.Context, directory string) error {
	at, err := url.Parse(directory)
	if err != nil {
		return fmt.Errorf("concourse: ACME directory: %w", err)
	}
	_, err = s.expose(ctx, at.Host, at.Host)
	return err
}

// Inside makes a TCP service on the host's loopback reachable from task
// containers, and returns the address to use there: 10.80.0.1:PORT. The same
// hostAddress gives the same answer. It ends with Close or Stop.
func (s *Server) Inside(ctx context.Context, hostAddress string) (address string, err error) {
	// The bridge comes up with the first container, so all addresses it is.
	return s.expose(ctx, hostAddress, "0.0.0.0:0")
}

func (s *Server) expose(ctx context.Context, outside, inside string) (string, error) {
	if at, err := netip.ParseAddrPort(outside); err != nil || !at.Addr().IsLoopback() {
		return "", fmt.Errorf("concourse: got %q to make reachable, wanted an address on the loopback like 127.0.0.1:8080", outside)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", fmt.Errorf("concourse: %s was closed", s.dir)
	}
	if there, ok := s.services[outside]; ok {
		return there.address, nil
	}
	listener, err := s.network.listen(ctx, inside)
	if err != nil {
		return "", fmt.Errorf("concourse: make %s reachable inside: %w", outside, err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return "", errors.Join(err, listener.Close())
	}
	made := service{address: net.JoinHostPort(gateway, port)}
	made.forwarder = forward(listener, func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", outside)
	})
	s.services[outside] = made
	return made.address, nil
}

// Close ends the forwarding that this Server does, of URL and Inside. The
// Concourse goes on.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.network == nil {
		return nil
	}
	s.closed = true
	var failed []error
	if s.web != nil {
		failed = append(failed, s.web.close())
	}
	for _, one := range s.services {
		failed = append(failed, one.close())
	}
	failed = append(failed, s.vault.close())
	s.network.leave()
	return errors.Join(failed...)
}
