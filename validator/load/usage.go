package load

import (
	"runtime"
	"syscall"
	"time"
)

// usage measures which share of the cores this process has used.
type usage struct {
	wall time.Time
	cpu  time.Duration
}

func startUsage() usage { return usage{time.Now(), spent()} }

// share is the share since the last call.
func (u *usage) share() float64 {
	now := startUsage()
	wall := now.wall.Sub(u.wall)
	cpu := now.cpu - u.cpu
	*u = now
	if wall <= 0 {
		return 0
	}
	return cpu.Seconds() / wall.Seconds() / float64(runtime.GOMAXPROCS(0))
}

// spent is the CPU time of this process, of the user and of the system.
func spent() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
