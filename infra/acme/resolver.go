package acme

import (
	"errors"
	"net"

	"github.com/miekg/dns"
)

// resolver is a DNS server that finds every name on this machine. It is not
// challtestsrv's, which cannot say on which port it landed.
type resolver struct {
	listener net.Listener
	server   *dns.Server
	done     chan error
}

func newResolver() (*resolver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // Pebble asks over TCP
	if err != nil {
		return nil, err
	}
	started := make(chan struct{})
	r := &resolver{listener: listener, done: make(chan error, 1)}
	r.server = &dns.Server{
		Listener:          listener,
		Handler:           dns.HandlerFunc(answer),
		NotifyStartedFunc: func() { close(started) },
	}
	go func() { r.done <- r.server.ActivateAndServe() }()
	select {
	case <-started:
		return r, nil
	case err := <-r.done:
		return nil, errors.Join(err, listener.Close())
	}
}

// answer gives 127.0.0.1 to A questions and an empty answer to all others.
func answer(w dns.ResponseWriter, question *dns.Msg) {
	reply := new(dns.Msg).SetReply(question)
	for _, q := range question.Question {
		if q.Qtype == dns.TypeA {
			header := dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}
			reply.Answer = append(reply.Answer, &dns.A{Hdr: header, A: net.IPv4(127, 0, 0, 1)})
		}
	}
	_ = w.WriteMsg(reply) // the asker has gone: nobody is left to tell
}

func (r *resolver) addr() string { return r.listener.Addr().String() }

func (r *resolver) close() error {
	err := r.server.Shutdown()
	return errors.Join(err, <-r.done)
}
