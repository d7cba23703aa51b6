package fallback

import (
	"time"

	"golang.org/x/sys/unix"
)

// sinceBoot reads CLOCK_BOOTTIME. Go's own monotonic time is CLOCK_MONOTONIC,
// which stands still while a machine is suspended: a lease would outlive its
// time. The clock is one of the machine: that virtual machines which are paused
// by their host see it go on afterwards is assumed, and is what Linux guests of
// the common hosts do when they are resumed, not when they are restored.
func sinceBoot() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		panic("CLOCK_BOOTTIME: " + err.Error()) // every Linux since 2.6.39 has it
	}
	return time.Duration(now.Nano())
}
