package main

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// An answer leaves net/http in two or three pieces, and TLS makes records of
// 16 KiB of each; every record would be a system call and every piece a packet.
// An outbox lies below TLS and gathers them: a GET of a small object leaves in
// one write, a large one in a write for every 64 KiB.

// outboxLen holds a piece of 64 KiB of an answer as TLS records, with its
// headers before it.
const outboxLen = 72 << 10

// outboxDirect is from where on copying costs more than a system call.
const outboxDirect = 32 << 10

// longestWrite is how long a client may take nothing of what it is sent, be it
// an answer, an interim one or a frame of HTTP/2: who sends requests and reads no
// answer would otherwise hold a connection for ever.
const longestWrite = 30 * time.Second

// lastWrite is how long what is written to a connection that is being closed
// may take: TLS says goodbye, to a client that may not read.
const lastWrite = time.Second

// outbox is a connection that may keep what is written to it for a while. Its
// methods may be called concurrently.
type outbox struct {
	net.Conn
	boxes   *sync.Pool  // of *[outboxLen]byte
	closing atomic.Bool // set by whoever is about to close it

	mu     sync.Mutex
	keeps  bool
	box    *[outboxLen]byte // nil: nothing is held
	length int
	err    error // of the first write that failed: what follows would be out of place
}

// keep makes the writes that follow wait for flush, or until the box is full.
func (o *outbox) keep() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keeps = true
}

// flush sends what is held and ends the waiting.
func (o *outbox) flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keeps = false
	return o.send()
}

// Write implements net.Conn.
func (o *outbox) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.length+len(p) > outboxLen || !o.keeps || len(p) >= outboxDirect {
		if err := o.send(); err != nil {
			return 0, err
		}
	}
	if !o.keeps || len(p) >= outboxDirect {
		n, err := o.write(p)
		o.err = err
		return n, err
	}
	if o.err != nil {
		return 0, o.err
	}
	if o.box == nil {
		o.box = o.boxes.Get().(*[outboxLen]byte)
	}
	o.length += copy(o.box[o.length:], p)
	return len(p), nil
}

// send writes what is held. The caller has the lock.
func (o *outbox) send() error {
	if o.box == nil || o.err != nil {
		return o.err
	}
	_, o.err = o.write(o.box[:o.length])
	o.empty()
	return o.err
}

// empty forgets what is held. The caller has the lock.
func (o *outbox) empty() {
	if o.box != nil {
		o.boxes.Put(o.box)
		o.box, o.length = nil, 0
	}
}

func (o *outbox) write(p []byte) (int, error) {
	patience := longestWrite
	if o.closing.Load() {
		patience = lastWrite
	}
	_ = o.SetWriteDeadline(time.Now().Add(patience))
	return o.Conn.Write(p)
}

// Close ends the connection, and a write under way with it: whoever closes then
// means to. What is held is of an answer that is cut, for a whole one was
// flushed at its end.
func (o *outbox) Close() error {
	if o.mu.TryLock() {
		o.empty()
		o.mu.Unlock()
	}
	return o.Conn.Close()
}

// CloseWrite is what TLS and net/http want of a connection to end it gently.
func (o *outbox) CloseWrite() error {
	if err := o.flush(); err != nil {
		return err
	}
	if half, ok := o.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
