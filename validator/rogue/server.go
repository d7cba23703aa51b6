package rogue

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"bogops/validator/ceph"
	"bogops/validator/ceph/cephfake"
	"bogops/validator/probe"
	"bogops/validator/target"
)

// host is the name of every rogue.
const host = "platform.test"

// site is what a rogue is made of. A rogue changes one thing of it.
type site struct {
	platform  *platform
	authority *authority
	handler   http.Handler
	plain     http.Handler
	tls       *tls.Config
	conn      func(context.Context, net.Conn) context.Context
	target    func(*target.Target) // changes what the judge is told
	origin    string               // where plain HTTP redirects to
	mute      bool                 // nothing listens
	close     []func()
	cluster   *cephfake.Fake
	way       *ceph.Cluster // the judge's into the cluster
	pipeline  *pipeline     // nil: none is there
}

// Server is a rogue that runs.
type Server struct {
	Target target.Target
	Ceph   *ceph.Cluster // the judge's way into its Ceph; nil: it has none
	// Concourse is the judge's way into its Concourse; nil: it has none.
	Concourse *probe.Concourse

	servers []*http.Server
	control net.Listener
	close   []func()
	group   sync.WaitGroup
}

// Start runs the rogue on loopback ports until Close. One with a pipeline is
// redeployed once by the judge, within ctx.
func (r Rogue) Start(ctx context.Context) (*Server, error) {
	site, err := honestSite()
	if err != nil {
		return nil, fmt.Errorf("rogue %s: %w", r.Name, err)
	}
	site.platform.silver = r.silver
	if r.ceph {
		site.cluster = cephfake.New()
		site.way = site.cluster.Cluster()
		site.platform.backing = &backing{cluster: site.cluster, claims: map[string]ceph.Claim{}}
	}
	if r.concourse {
		site.pipeline = honestPipeline()
	}
	if r.change != nil {
		if err := r.change(site); err != nil {
			return nil, fmt.Errorf("rogue %s: %w", r.Name, err)
		}
	}
	server, err := site.start()
	if err != nil {
		return nil, fmt.Errorf("rogue %s: %w", r.Name, err)
	}
	if site.pipeline != nil {
		if err := site.pipeline.start(ctx, site, server); err != nil {
			server.Close()
			return nil, fmt.Errorf("rogue %s: its pipeline: %w", r.Name, err)
		}
	}
	return server, nil
}

func honestSite() (*site, error) {
	authority, err := newAuthority()
	if err != nil {
		return nil, err
	}
	certificate, err := authority.leaf(nil, nil, host)
	if err != nil {
		return nil, err
	}
	platform := newPlatform()
	s := &site{
		platform: platform, authority: authority, handler: platform,
		tls: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
	}
	s.plain = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://"+s.origin+r.RequestURI)
		w.WriteHeader(http.StatusPermanentRedirect)
	})
	return s, nil
}

func (s *site) start() (*Server, error) {
	server := &Server{close: s.close, Ceph: s.way}
	secure, err := server.listen(s.mute)
	if err != nil {
		return nil, err
	}
	plain, err := server.listen(s.mute)
	if err != nil {
		secure.Close()
		return nil, err
	}
	if server.control, err = server.listen(false); err != nil {
		secure.Close()
		plain.Close()
		return nil, err
	}
	server.group.Go(server.answerControl)
	server.Target = target.Target{
		ID: "rogue", URL: &url.URL{Scheme: "https", Host: host},
		Token: s.platform.token, ReaderToken: s.platform.reader, Contest: s.platform.contest,
		Resolve:  map[string]string{host: secure.Addr().String()},
		HTTPPort: plain.Addr().(*net.TCPAddr).Port,
		Roots:    s.authority.pool(), Control: server.control.Addr().String(),
	}
	if s.target != nil {
		s.target(&server.Target)
	}
	s.origin = server.Target.URL.Host
	if !s.mute {
		server.serve(tls.NewListener(secure, s.tls), s.handler, s.conn)
		server.serve(plain, s.plain, nil)
	}
	return server, nil
}

// listen takes a port; a mute one is closed again, so that it refuses.
func (s *Server) listen(mute bool) (net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil && mute {
		listener.Close()
	}
	return listener, err
}

func (s *Server) serve(listener net.Listener, handler http.Handler, conn func(context.Context, net.Conn) context.Context) {
	server := &http.Server{
		Handler: handler, ConnContext: conn, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0), // rogues provoke errors by trade
	}
	s.servers = append(s.servers, server)
	s.group.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // the listener is ours alone
		}
	})
}

// answerControl takes connections and hangs up: the judge's network works.
func (s *Server) answerControl() {
	for {
		conn, err := s.control.Accept()
		if err != nil {
			return
		}
		conn.Close()
	}
}

// Close stops the rogue and waits until it has.
func (s *Server) Close() {
	for _, server := range s.servers {
		server.Close()
	}
	s.control.Close()
	s.group.Wait()
	for _, close := range slices.Backward(s.close) {
		close()
	}
}
