package target

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"time"
)

// Raw writes request to a connection of its own and returns all that comes
// back until the platform closes it, at most limit bytes. What names the
// request in the evidence, which sees neither its bytes nor its token. Its
// error holds a *Failure.
func (c *Client) Raw(ctx context.Context, what string, request []byte, limit int64) ([]byte, error) {
	ctx, rec := record(ctx, Request{Method: "raw", Path: what})
	answer, err := c.raw(ctx, request, limit)
	var failure *Failure
	if err != nil {
		failure = rec.blame(fail(what, err))
	}
	c.keep(rec, func(e *Exchange) {
		e.BodyBytes = int64(len(answer))
		if failure != nil {
			e.Failure = failure.Error()
		}
	})
	if failure != nil {
		return nil, failure
	}
	return answer, nil
}

func (c *Client) raw(ctx context.Context, request []byte, limit int64) ([]byte, error) {
	conn, err := c.target.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// A context has no hold on a bare connection; closing it has.
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(request); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(conn, limit))
}

// connect dials the platform and, for https, shakes hands as any client does.
func (t Target) connect(ctx context.Context) (net.Conn, error) {
	name, port := t.Host()
	conn, err := t.Dial(ctx, "tcp", net.JoinHostPort(name, port))
	if err != nil || t.URL.Scheme == "http" {
		return conn, err
	}
	secured := tls.Client(conn, &tls.Config{RootCAs: t.Roots, ServerName: name, MinVersion: tls.VersionTLS12, Time: t.Now})
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}
