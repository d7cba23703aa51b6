package load

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"bogops/validator/ledger"
)

// exchange is one request and its answer.
type exchange struct {
	response *http.Response
	status   int
	err      error
	wrote    atomic.Bool // perhaps the platform has seen something of it
	detail   string
	judged   bool // the answer is right unless detail says otherwise
	origin   time.Time
	end      time.Time
	cancel   context.CancelFunc
	isPut    bool
}

// exchange sends a request and reads the head of its answer. GetBody stays nil,
// so that no PUT is ever sent twice by the transport.
func (s *sender) exchange(ctx context.Context, a Arrival, method string, u *url.URL, body io.Reader, due time.Time) *exchange {
	x := &exchange{isPut: a.Op == Put}
	limit := s.max(a.Op.Scored()) + s.scaled(tooLate)
	sent := time.Now()
	x.origin = s.origin(due, sent)
	ctx, x.cancel = context.WithDeadline(ctx, sent.Add(limit))
	var connections atomic.Int64
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			if connections.Add(1) > 1 {
				s.replays.Add(1)
			}
			if !info.Reused {
				s.fresh.Add(1)
			}
			x.wrote.Store(true)
		},
	})
	request := (&http.Request{
		Method: method, URL: u, Host: u.Host, Header: http.Header{"User-Agent": {userAgent}},
	}).WithContext(ctx)
	if s.Target.Token != "" {
		request.Header.Set("Authorization", "Bearer "+s.Target.Token)
	}
	if body != nil {
		request.ContentLength, request.Body = a.Size, io.NopCloser(body)
		request.Header.Set("Content-Type", "application/octet-stream")
	}
	x.response, x.err = s.lanes.pick(a.N, sent).RoundTrip(request)
	x.end = time.Now()
	if x.err == nil {
		x.status = x.response.StatusCode
	}
	return x
}

// userAgent is that of a common client: load is not to be told from use.
const userAgent = "curl/7.88.1"

// finish notes the end of the body.
func (x *exchange) finish(err error) { x.end, x.err = time.Now(), err }

// drain reads a body that says nothing, within bounds.
func (x *exchange) drain() {
	_, err := io.Copy(io.Discard, io.LimitReader(x.response.Body, 64<<10))
	x.finish(err)
}

func (x *exchange) judge(class ledger.Class) {
	x.judged = true
	if class != ledger.Right {
		x.detail = string(class)
	}
}

func (x *exchange) close() {
	if x.response != nil {
		// What is left of an answer that was wrong is not worth reading: the
		// connection goes with it, unless little is left.
		_, _ = io.Copy(io.Discard, io.LimitReader(x.response.Body, 4<<10))
		_ = x.response.Body.Close()
	}
	x.cancel()
}

// result puts the answer into one kind.
func (x *exchange) result() result {
	res := result{latency: x.end.Sub(x.origin), detail: x.detail}
	if x.response != nil {
		res.instance = x.response.Header.Get("Bogops-Instance")
	}
	succeeded := x.judged && x.detail == ""
	if x.isPut {
		succeeded = x.status == http.StatusOK || x.status == http.StatusCreated
	}
	switch {
	case x.err != nil:
		res.kind = failure(x.err)
		res.unsent = res.kind == ""
		res.detail = "protocol"
	case succeeded:
		res.right = true
	case x.status == http.StatusTooManyRequests || x.status == http.StatusServiceUnavailable:
		res.kind = "shed"
	case x.status >= 500:
		res.kind = "5xx"
	default:
		res.kind = "wrong"
		if res.detail == "" {
			res.detail = "status"
		}
	}
	return res
}
