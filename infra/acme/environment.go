package acme

import (
	"os"
	"strconv"
	"sync"
	"time"
)

// Pebble reads some of its settings only from the environment of the process,
// in its constructors, and offers no other way to give them. So they are set
// while the constructors run and put back right after. The environment belongs
// to the whole process: the lock keeps two Servers that start at once apart,
// but code elsewhere that reads these variables, or starts a child process,
// in those few milliseconds would see them.
var environment sync.Mutex

// environment returns the variables that say what opts say.
func (opts Options) environment() map[string]string {
	variables := map[string]string{
		"PEBBLE_VA_NOSLEEP":      "1",
		"PEBBLE_VA_SLEEPTIME":    "0",
		"PEBBLE_VA_ALWAYS_VALID": "0", // or an order would prove nothing
		"PEBBLE_WFE_NONCEREJECT": strconv.Itoa(opts.BadNonces),
		// An authority that reuses an earlier validation would skip the
		// challenge and hide a client that cannot answer one.
		"PEBBLE_AUTHZREUSE": "0",
	}
	if opts.Patience >= time.Second {
		variables["PEBBLE_VA_NOSLEEP"] = "0"
		variables["PEBBLE_VA_SLEEPTIME"] = strconv.Itoa(int(opts.Patience / time.Second))
	}
	return variables
}

// withEnvironment runs build with variables set, and puts back what was there.
func withEnvironment(variables map[string]string, build func()) {
	environment.Lock()
	defer environment.Unlock()
	for name, value := range variables {
		before, had := os.LookupEnv(name)
		_ = os.Setenv(name, value) // fails only on a malformed name
		defer func() {
			if had {
				_ = os.Setenv(name, before)
			} else {
				_ = os.Unsetenv(name)
			}
		}()
	}
	build()
}
