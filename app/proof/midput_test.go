//go:build ceph

package proof

import (
	"io"
	"sync"
	"time"

	"bogops/app/store/linear"
)

// midPut has an instance take in half of a body of its own, and returns what
// sends the rest and waits for the answer.
func (r *run) midPut(i *instance) (finish func()) {
	r.Helper()
	op := linear.Op{Client: clients + 1, Kind: linear.Put, Key: r.oldKey + "-half", Data: r.load.number()}
	for len(bodyOf(op)) <= 1<<20 { // a short one would be sent as a whole
		op.Data = r.load.number()
	}
	body := &halting{body: bodyOf(op), half: make(chan struct{}), goOn: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.load.doFrom(i, op, body, nil)
	}()
	select {
	case <-body.half:
	case <-done:
	}
	return sync.OnceFunc(func() {
		close(body.goOn)
		<-done
	})
}

// stopMidPut stops an instance that has half of a body, with the rest waiting
// for it, and returns what lets it go on, four leases later at the earliest.
func (r *run) stopMidPut(i *instance) (resume func()) {
	r.Helper()
	finish := r.midPut(i)
	i.pause(r)
	began := time.Now()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		finish()
	}()
	return func() {
		r.Helper()
		r.pass(4*r.lease - time.Since(began))
		i.resume(r)
		<-answered
	}
}

// halting is a body that comes to a halt in its middle.
type halting struct {
	body       []byte
	at         int
	half, goOn chan struct{}
	waited     bool
}

func (h *halting) Read(p []byte) (int, error) {
	middle := len(h.body) / 2
	switch {
	case h.at == len(h.body):
		return 0, io.EOF
	case h.at == middle && !h.waited:
		h.waited = true
		close(h.half)
		<-h.goOn
	}
	end := len(h.body)
	if h.at < middle {
		end = middle
	}
	n := copy(p, h.body[h.at:end])
	h.at += n
	return n, nil
}
