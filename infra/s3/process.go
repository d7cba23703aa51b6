package s3

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// run starts a server, and returns its address once look answers, and what
// stops it. The port is free when it is chosen; where another process was
// quicker, another one is tried.
func run(command func(address string) (cmd *exec.Cmd, look string)) (address string, stop func(), err error) {
	for range 3 {
		if address, err = freeAddress(); err != nil {
			return "", nil, err
		}
		if stop, err = runAt(command(address)); err == nil {
			return address, stop, nil
		}
	}
	return "", nil, err
}

func runAt(cmd *exec.Cmd, look string) (stop func(), err error) {
	log, err := os.CreateTemp("", "bogops-server-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	defer os.Remove(log.Name()) // the process keeps it
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // that it ended is all we want
		close(ended)
	}()
	stop = func() { end(cmd, ended) }
	if err := answers(look, ended); err != nil {
		stop()
		text, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	return stop, nil
}

// end ends the process by its id, gently first.
func end(cmd *exec.Cmd, ended <-chan struct{}) {
	_ = cmd.Process.Signal(os.Interrupt)
	select {
	case <-ended:
	case <-time.After(3 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
	}
}

func answers(look string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		asked, err := http.NewRequestWithContext(ctx, http.MethodGet, look, nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(asked)
		if err == nil {
			return answer.Body.Close()
		}
		select {
		case <-ended:
			return errors.New("the server ended before it answered")
		case <-ctx.Done():
			return fmt.Errorf("the server did not answer within a minute: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
