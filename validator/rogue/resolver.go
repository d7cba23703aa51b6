package rogue

import (
	"context"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// Names is a little name server on a loopback port.
type Names struct {
	conn  net.PacketConn
	known map[string][]netip.Addr
	code  dnsmessage.RCode
	mute  bool
	group sync.WaitGroup
}

// NewNames answers for the names it knows, and says of others that they do not
// exist.
func NewNames(known map[string][]netip.Addr) (*Names, error) { return serveNames(&Names{known: known}) }

// NewFailingNames answers SERVFAIL to everything.
func NewFailingNames() (*Names, error) {
	return serveNames(&Names{code: dnsmessage.RCodeServerFailure})
}

// NewMuteNames answers nothing.
func NewMuteNames() (*Names, error) { return serveNames(&Names{mute: true}) }

func serveNames(n *Names) (*Names, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n.conn = conn
	n.group.Go(n.serve)
	return n, nil
}

// Close stops the server.
func (n *Names) Close() {
	n.conn.Close()
	n.group.Wait()
}

// Resolver asks this server whatever the machine's configuration says.
func (n *Names) Resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "udp", n.conn.LocalAddr().String())
	}}
}

func (n *Names) serve() {
	packet := make([]byte, 4096)
	for {
		length, from, err := n.conn.ReadFrom(packet)
		if err != nil {
			return
		}
		if answer, ok := n.answer(packet[:length]); ok && !n.mute {
			_, _ = n.conn.WriteTo(answer, from)
		}
	}
}

func (n *Names) answer(packet []byte) ([]byte, bool) {
	var parser dnsmessage.Parser
	header, err := parser.Start(packet)
	if err != nil {
		return nil, false
	}
	question, err := parser.Question()
	if err != nil {
		return nil, false
	}
	name := question.Name.String()
	addresses, known := n.known[name[:len(name)-1]]
	header.Response, header.RecursionAvailable, header.RCode = true, true, n.code
	if !known && n.code == dnsmessage.RCodeSuccess {
		header.RCode = dnsmessage.RCodeNameError
	}
	message := dnsmessage.Message{Header: header, Questions: []dnsmessage.Question{question}}
	for _, address := range addresses {
		if question.Type == dnsmessage.TypeA && address.Is4() {
			message.Answers = append(message.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 1},
				Body:   &dnsmessage.AResource{A: address.As4()},
			})
		}
	}
	spelled, err := message.Pack()
	return spelled, err == nil
}
