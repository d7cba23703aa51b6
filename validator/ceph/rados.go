//go:build ceph

package ceph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ceph/go-ceph/rados"
)

// inFlight bounds the calls into librados: each holds a thread of the system.
const inFlight = 16

// renewed is how long a connection is used: a cluster lets an open one live on
// after its key was withdrawn, for as long as its ticket does.
const renewed = 5 * time.Minute

// librados is the access by monitors and a read-only key. Calls into the library
// know no context: each runs beside its caller, who leaves when ctx ends, and
// ends by the time-outs that are set here (the library's own are for ever).
type librados struct {
	identity
	slots chan struct{}
	calls sync.WaitGroup

	mu     sync.Mutex // held while connecting
	link   *link
	failed error     // of the last try to connect, nil where it succeeded
	tried  time.Time // when that ended
}

// between is how long the last failure to connect is also the answer to whoever
// asks next: those who waited for it would each wait for one of their own.
const between = time.Second

type link struct {
	conn *rados.Conn
	made time.Time
	uses sync.WaitGroup
}

func openRADOS(c identity) Access {
	return &librados{identity: c, slots: make(chan struct{}, inFlight)}
}

func (l *librados) Read(ctx context.Context, o Object, at, length int64) ([]byte, error) {
	return call(ctx, l, "read", func(conn *rados.Conn) ([]byte, error) {
		pool, err := conn.OpenIOContext(o.Pool)
		if err != nil {
			return nil, err
		}
		defer pool.Destroy()
		pool.SetNamespace(o.Namespace)
		bytes := make([]byte, length)
		done := 0
		for done < len(bytes) {
			n, err := pool.Read(o.Name, bytes[done:], uint64(at)+uint64(done))
			if err != nil {
				return nil, err
			}
			if n == 0 {
				break
			}
			done += n
		}
		return bytes[:done], nil
	})
}

func (l *librados) Ask(ctx context.Context, q Query) ([]byte, error) {
	command := map[string]string{"prefix": q.Prefix, "format": "json"}
	for _, arg := range q.Args {
		command[arg.Name] = arg.Value
	}
	text, err := json.Marshal(command)
	if err != nil {
		return nil, err
	}
	return call(ctx, l, "ask the monitors", func(conn *rados.Conn) ([]byte, error) {
		answer, _, err := conn.MonCommand(text)
		return answer, err
	})
}

// Close waits for the calls that are under way, at most for their time-outs.
func (l *librados) Close() error {
	l.calls.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.link != nil {
		l.link.conn.Shutdown()
		l.link = nil
	}
	return nil
}

func call[T any](ctx context.Context, l *librados, what string, do func(*rados.Conn) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return none, late(ctx, what)
	}
	ended := make(chan result, 1)
	l.calls.Go(func() {
		defer func() { <-l.slots }()
		link, err := l.linked()
		if err != nil {
			ended <- result{err: classify("connect", err)}
			return
		}
		defer link.uses.Done()
		value, err := do(link.conn)
		ended <- result{value, classify(what, err)}
	})
	select {
	case r := <-ended:
		return r.value, r.err
	case <-ctx.Done():
		return none, late(ctx, what)
	}
}

// linked returns a connection that the caller gives back by its uses.
func (l *librados) linked() (*link, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.link == nil || time.Since(l.link.made) > renewed {
		if l.failed != nil && time.Since(l.tried) < between {
			return nil, l.failed
		}
		conn, err := l.connect()
		l.failed, l.tried = err, time.Now()
		if err != nil {
			return nil, err
		}
		if old := l.link; old != nil {
			l.calls.Go(func() {
				old.uses.Wait()
				old.conn.Shutdown()
			})
		}
		l.link = &link{conn: conn, made: time.Now()}
	}
	l.link.uses.Add(1)
	return l.link, nil
}

// connect reads no file of this machine: only what the contest file says counts.
func (l *librados) connect() (*rados.Conn, error) {
	conn, err := rados.NewConnWithUser(l.user)
	if err != nil {
		return nil, err
	}
	seconds := fmt.Sprint(int(patience.Seconds()))
	for _, option := range [][2]string{
		{"mon_host", strings.Join(l.monitors, ",")}, {"key", l.key}, {"keyring", "/dev/null"},
		{"client_mount_timeout", "5"}, {"rados_mon_op_timeout", seconds}, {"rados_osd_op_timeout", seconds},
		{"log_to_stderr", "false"}, {"err_to_stderr", "false"}, {"log_file", ""}, {"admin_socket", ""},
	} {
		if err := conn.SetConfigOption(option[0], option[1]); err != nil {
			return nil, fmt.Errorf("the option %s: %w", option[0], err)
		}
	}
	if err := conn.Connect(); err != nil {
		return nil, err
	}
	return conn, nil
}

// classify names what librados returned. A monitor that does not know the user
// says EACCES or ENOENT when connecting, a key without a right EPERM or EACCES,
// and whose address is on the blocklist gets ESHUTDOWN. What else a cluster says
// of a request is an answer too: the names in it are the team's, and must not
// be able to make a fault of the judge.
func classify(what string, err error) error {
	var coded interface{ ErrorCode() int }
	if err == nil || !errors.As(err, &coded) {
		return err
	}
	class := err
	switch syscall.Errno(-coded.ErrorCode()) {
	case syscall.EPERM, syscall.EACCES, syscall.EKEYREJECTED, syscall.ESHUTDOWN:
		class = ErrDenied
	case syscall.ENOENT:
		class = ErrNotFound
		if what == "connect" {
			class = ErrDenied
		}
	case syscall.ETIMEDOUT, syscall.ENOTCONN, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EHOSTUNREACH, syscall.ENETUNREACH:
		class = ErrUnreachable
	case syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE: // this machine's own
	default:
		if what != "connect" {
			class = ErrFailed
		}
	}
	if class == err {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w (%v)", what, class, err)
}
