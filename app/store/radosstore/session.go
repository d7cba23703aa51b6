//go:build ceph

package radosstore

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/ceph/go-ceph/rados"
)

// session is one connection to the cluster, with an address of its own.
type session struct {
	conn        *rados.Conn
	io          *rados.IOContext
	completions *completions
	fsid        string
	address     string

	users sync.WaitGroup // operations; librados aborts the process where one outlives the connection
	once  sync.Once
	out   chan struct{} // closed: the cluster has shut this client out
}

// mountTimeout is how long one attempt to connect takes at most.
const mountTimeout = 5 * time.Second

// connect blocks for up to mountTimeout, and a little more.
func connect(cfg Config) (*session, error) {
	s, err := attempt(cfg)
	if err != nil {
		// go-ceph gives back what never connected, four threads each, only when
		// it is collected, which an idle process does every two minutes.
		runtime.GC()
	}
	return s, err
}

func attempt(cfg Config) (*session, error) {
	conn, err := rados.NewConnWithUser(cfg.User)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn, out: make(chan struct{})}
	if err := s.configure(cfg); err != nil {
		return nil, err
	}
	if err := conn.Connect(); err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	if err := s.open(cfg); err != nil {
		conn.Shutdown()
		return nil, err
	}
	return s, nil
}

func (s *session) configure(cfg Config) error {
	if cfg.Conf != "" {
		if err := s.conn.ReadConfigFile(cfg.Conf); err != nil {
			return fmt.Errorf("reading %s: %w", cfg.Conf, err)
		}
	}
	// Ours stand above those of the file. librados would wait for ever, and
	// hold back by itself what is more than 100 MiB or 1,024 operations.
	seconds := strconv.Itoa(int(cfg.OpTimeout.Seconds()))
	options := [][2]string{
		{"rados_osd_op_timeout", seconds},
		{"rados_mon_op_timeout", seconds},
		{"client_mount_timeout", strconv.Itoa(int(mountTimeout.Seconds()))},
		{"objecter_inflight_op_bytes", strconv.FormatInt(2*cfg.Bytes+(64<<20), 10)},
		{"objecter_inflight_ops", strconv.Itoa(2*cfg.InFlight + 64)},
	}
	if cfg.Monitors != "" {
		options = append(options, [2]string{"mon_host", cfg.Monitors})
	}
	switch {
	case cfg.Key != "":
		options = append(options, [2]string{"key", cfg.Key})
	case cfg.KeyFile != "":
		content, err := os.ReadFile(cfg.KeyFile)
		if err != nil {
			return err
		}
		option := "keyfile"
		if bytes.HasPrefix(bytes.TrimSpace(content), []byte("[")) {
			option = "keyring"
		}
		options = append(options, [2]string{option, cfg.KeyFile})
	}
	for _, option := range options {
		if err := s.conn.SetConfigOption(option[0], option[1]); err != nil {
			return fmt.Errorf("setting %s: %w", option[0], err)
		}
	}
	return nil
}

func (s *session) open(cfg Config) (err error) {
	if s.fsid, err = s.conn.GetFSID(); err != nil {
		return fmt.Errorf("asking for the fsid: %w", err)
	}
	if s.address, err = s.conn.GetAddrs(); err != nil {
		return fmt.Errorf("asking for this client's address: %w", err)
	}
	if s.io, err = s.conn.OpenIOContext(cfg.Pool); err != nil {
		return fmt.Errorf("opening pool %s: %w", cfg.Pool, err)
	}
	s.io.SetNamespace(cfg.Namespace)
	if s.completions, err = newCompletions(); err != nil {
		s.io.Destroy()
	}
	return err
}

// probes is how many objects the round trips go through in turn: more than one,
// to meet more than one placement group; few, because they stay.
const probes = 16

func (s *session) roundTrip(name string) error {
	op := rados.CreateWriteOp()
	defer op.Release()
	op.WriteFull([]byte("probe"))
	// A full pool would keep a write waiting without the flag.
	if err := op.Operate(s.io, name, rados.OperationFullTry); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	var b [8]byte
	if _, err := s.io.Read(name, b[:], 0); err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	return nil
}

func (s *session) shutOut() { s.once.Do(func() { close(s.out) }) }

func (s *session) isOut() bool {
	select {
	case <-s.out:
		return true
	default:
		return false
	}
}

// wait waits for d, or until ctx ends or the session is shut out.
func (s *session) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.out:
	case <-timer.C:
	}
}

// endPatience is how many time-outs the operations of a session have to end.
const endPatience = 10

// end waits for the operations that run and disconnects. Each ends by its
// time-out, but a wait for the newest map of the cluster has none: where one goes
// on without monitors the connection is left to it, since librados aborts the
// process otherwise. It reports whether it has disconnected.
func (s *session) end(patience time.Duration) bool {
	quiet := make(chan struct{})
	go func() {
		s.users.Wait()
		close(quiet)
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-quiet:
	case <-timer.C:
		return false
	}
	_ = s.completions.stop() // it is only an event that is closed
	s.io.Destroy()
	s.conn.Shutdown()
	s.completions.free()
	return true
}
