package fleet

import (
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
)

// A guard is a process that ends what the instances started when this process
// is gone, however it went: it waits for the end of a pipe, which the kernel
// closes for the dead. The kernel ends the instances themselves on Linux (see
// diesWithParent), and not the children of a start script that does not exec.
type guard struct {
	process *exec.Cmd

	mu   sync.Mutex
	pipe io.WriteCloser
}

// guarding keeps a list of process groups by "+ PID" and "- PID".
const guarding = `all=
while read -r what pid; do
	case $what in
	+) all="$all $pid" ;;
	-) left=
		for one in $all; do [ "$one" = "$pid" ] || left="$left $one"; done
		all=$left ;;
	esac
done
for one in $all; do kill -KILL -"$one" 2>/dev/null; done
exit 0`

func startGuard() (*guard, error) {
	process := exec.Command("/bin/sh", "-c", guarding, "fleet-guard")
	// Of its own group, or a terminal's interrupt would end it first.
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	return &guard{process: process, pipe: pipe}, nil
}

func (g *guard) watch(pid int)  { g.tell("+", pid) }
func (g *guard) forget(pid int) { g.tell("-", pid) }

func (g *guard) tell(what string, pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _ = fmt.Fprintln(g.pipe, what, pid) // a guard that is gone guards nothing
}

// end lets the guard go once all instances have ended.
func (g *guard) end() error {
	g.mu.Lock()
	g.pipe.Close()
	g.mu.Unlock()
	return g.process.Wait()
}
