//go:build ceph

package radosstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ceph/go-ceph/rados"

	"bogops/app/store"
)

// cluster is the pool by librados. It connects in the background, and again
// where the cluster has shut this client out.
type cluster struct {
	cfg  Config
	gate *gate
	mood mood

	stop context.CancelFunc
	done chan struct{} // closed when nothing of it runs any more

	mu      sync.Mutex
	session *session // nil: not connected
	why     string   // it is not
	fsid    string   // once it was
}

func dial(cfg Config) (pool, error) {
	ctx, stop := context.WithCancel(context.Background())
	giveBack()
	c := &cluster{cfg: cfg, gate: newGate(cfg.InFlight, cfg.Waiting), stop: stop,
		done: make(chan struct{}), why: "not connected yet"}
	c.mood.down = "The cluster has not been reached yet."
	go c.supervise(ctx)
	return c, nil
}

// busy tells the gate's numbers.
func (c *cluster) busy() (inFlight, waiting int64) {
	return c.gate.busy.Load(), c.gate.waiting.Load()
}

// maxBackoff is the longest pause between attempts to connect.
const maxBackoff = 2 * time.Second

// supervise keeps one session after the other until ctx ends.
func (c *cluster) supervise(ctx context.Context) {
	defer close(c.done)
	backoff := 100 * time.Millisecond
	for ctx.Err() == nil {
		began := time.Now()
		s, err := connect(c.cfg)
		if err != nil {
			c.unplug(err.Error())
			c.mood.failure(began, fmt.Sprintf("The cluster cannot be reached: %v.", err))
			pause(ctx, backoff)
			backoff = min(2*backoff, maxBackoff)
			continue
		}
		backoff = 100 * time.Millisecond
		c.plug(s)
		c.probe(ctx, s)
		c.unplug("the session has ended")
		s.end(endPatience * c.cfg.OpTimeout)
	}
	c.unplug("the store is closed")
	c.mood.failure(time.Now(), "The store is closed.")
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (c *cluster) plug(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.fsid = s, s.fsid
}

func (c *cluster) unplug(why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.why = nil, why
}

// use returns the session with one more user; s.users.Done ends that.
func (c *cluster) use() (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == nil {
		return nil, fmt.Errorf("%w: %s", store.ErrUnavailable, c.why)
	}
	c.session.users.Add(1)
	return c.session, nil
}

// kind says what an operation without an answer leaves open.
type kind int

const (
	reading kind = iota
	writing
)

// do carries out one operation: start sends it, with what is to be called when
// it has ended. do returns then or when ctx ends; the operation goes on, with its
// place and holds.
func (c *cluster) do(ctx context.Context, k kind, holds []*buffer, start func(s *session, ended func(error))) error {
	if err := c.mood.refuse(); err != nil {
		return err
	}
	if err := c.gate.enter(ctx); err != nil {
		return err
	}
	// Who waited for a place may have waited for one that a hung pool gave back.
	if err := c.mood.refuse(); err != nil {
		c.gate.leave()
		return err
	}
	s, err := c.use()
	if err != nil {
		c.gate.leave()
		return err
	}
	for _, b := range holds {
		b.retain()
	}
	answer := make(chan error, 1)
	began := time.Now()
	start(s, func(err error) {
		c.note(s, began, err)
		for _, b := range holds {
			b.release()
		}
		s.users.Done()
		c.gate.leave()
		answer <- err
	})
	select {
	case err := <-answer:
		return translate(k, err)
	case <-ctx.Done():
	}
	if k == writing {
		return fmt.Errorf("%w: %w", store.ErrUnknown, ctx.Err())
	}
	return ctx.Err()
}

// call is do for what go-ceph can only wait for: it holds a thread until it ends.
func (c *cluster) call(ctx context.Context, k kind, call func(*rados.IOContext) error) error {
	return c.do(ctx, k, nil, func(s *session, ended func(error)) {
		go func() { ended(call(s.io)) }()
	})
}

// note tells the mood, and the session that it is shut out.
func (c *cluster) note(s *session, began time.Time, err error) {
	switch code := codeOf(err); {
	case code == codeTimedOut:
		c.mood.timeout(began, time.Now())
	case code == codeShutOut:
		s.shutOut()
	default: // also an error is an answer
		c.mood.success(began)
		if code == codeFull || code == codeQuota {
			c.mood.refusal(time.Now())
		}
	}
}

// probe goes through the pool and back every second until ctx ends or the
// session is shut out. It does not wait for a place: it must see a pool that
// has taken all of them.
func (c *cluster) probe(ctx context.Context, s *session) {
	for n := 0; ctx.Err() == nil && !s.isOut(); n++ {
		began := time.Now()
		err := s.roundTrip(fmt.Sprintf("%s%d", probePrefix, n%probes))
		took := time.Since(began)
		switch {
		case err == nil:
			c.mood.trip(took)
			c.mood.success(began)
		case codeOf(err) == codeFull, codeOf(err) == codeQuota:
			c.mood.success(began)
			c.mood.refusal(time.Now())
		case codeOf(err) == codeShutOut:
			s.shutOut()
			c.mood.failure(began, "The cluster has shut this client out; it connects anew.")
		case codeOf(err) == codeTimedOut:
			c.mood.failure(began, fmt.Sprintf("The pool has not answered for %v.", took.Round(100*time.Millisecond)))
		default:
			c.mood.failure(began, fmt.Sprintf("A round trip through the pool fails: %v.", err))
		}
		s.wait(ctx, time.Second-min(took, time.Second))
	}
}

func (c *cluster) where() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fsid == "" {
		return "", fmt.Errorf("%w: %s", store.ErrUnavailable, c.why)
	}
	return c.fsid, nil
}

func (c *cluster) address() (string, error) {
	s, err := c.use()
	if err != nil {
		return "", err
	}
	defer s.users.Done()
	return s.address, nil
}

func (c *cluster) health(now time.Time) store.Health { return c.mood.health(now) }

func (c *cluster) close() error {
	c.stop()
	<-c.done
	return nil
}

// The codes of librados that mean something to us (errno(3), negative).
const (
	codeMissing   = -2
	codeIO        = -5
	codeExists    = -17
	codeFull      = -28
	codeShutOut   = -108
	codeTimedOut  = -110
	codeQuota     = -122
	codeCancelled = -125
	codeMismatch  = -4095 // and below: minus the offset of the first difference
)

// codeOf returns the code of a go-ceph error; 0 where there is none.
func codeOf(err error) int {
	var op rados.OperationError // has no Unwrap
	if errors.As(err, &op) && op.OpError != nil {
		err = op.OpError
	}
	var coded interface{ ErrorCode() int }
	if errors.As(err, &coded) {
		return coded.ErrorCode()
	}
	return 0
}

// translate puts what an operation said into the words of the interface pool.
func translate(k kind, err error) error {
	if err == nil {
		return nil
	}
	switch code := codeOf(err); {
	case code == codeMissing:
		return errMissing
	case code == codeExists, code == codeCancelled, code <= codeMismatch:
		return errGuard
	case code == codeFull, code == codeQuota:
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	case code == codeIO && k == reading:
		return fmt.Errorf("%w: Ceph cannot read it: %w", store.ErrDamaged, err)
	case (code == codeTimedOut || code == codeShutOut) && k == writing:
		return fmt.Errorf("%w: %w", store.ErrUnknown, err)
	default:
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
}
