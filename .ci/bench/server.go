package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a process that serves, with its output in a log of its own.
type server struct {
	name    string
	address string
	tls     bool
	admin   string // the app's admin port; empty: none
	token   string // what it wants to be told; empty: nothing
	pid     int
	command *exec.Cmd
	log     *os.File
	exited  chan struct{}
}

func (s *server) url() string {
	if s.tls {
		return "https://" + s.address
	}
	return "http://" + s.address
}

// start runs a program that will listen on address, and waits until it does.
func (b *bench) start(ctx context.Context, name, address string, environment []string, program string, arguments ...string) (*server, error) {
	b.fresh++
	log, err := os.Create(filepath.Join(b.Out, fmt.Sprintf("%03d-%s.log", b.fresh, name)))
	if err != nil {
		return nil, err
	}
	s := &server{name: name, address: address, log: log, exited: make(chan struct{})}
	s.command = exec.Command(program, arguments...)
	s.command.Env = append(os.Environ(), environment...)
	s.command.Stdout, s.command.Stderr = log, log
	s.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.command.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	s.pid = s.command.Process.Pid
	go func() {
		_ = s.command.Wait() // how it ended shows in what it served
		close(s.exited)
	}()
	for deadline := time.Now().Add(15 * time.Second); ; {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return s, conn.Close()
		}
		select {
		case <-s.exited:
			return nil, fmt.Errorf("%s has ended; see %s", name, log.Name())
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), s.stop())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("%s does not listen on %s; see %s", name, address, log.Name()), s.stop())
		}
	}
}

// stop ends the process and waits for it.
func (s *server) stop() error {
	_ = s.command.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-s.exited:
	case <-time.After(15 * time.Second):
		_ = s.command.Process.Kill()
		<-s.exited
	}
	return s.log.Close()
}

// freeAddress is a loopback address that nobody listens on at this moment.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// peak is the largest resident set of the process so far, in MiB.
func (s *server) peak() (float64, error) {
	kib, err := s.status("VmHWM")
	return kib / 1024, err
}

// threads is how many the process has, those of C libraries too.
func (s *server) threads() (float64, error) { return s.status("Threads") }

// status is a number of proc_pid_status(5).
func (s *server) status(name string) (float64, error) {
	path := fmt.Sprintf("/proc/%d/status", s.pid)
	return strconv.ParseFloat(strings.TrimSuffix(field(path, name), " kB"), 64)
}

// forgetPeak makes peak begin anew (proc_pid_clear_refs(5)).
func (s *server) forgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.pid), []byte("5"), 0)
}
