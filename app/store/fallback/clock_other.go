//go:build !linux

package fallback

import (
	"sync"
	"time"
)

// begin is the moment that sinceBoot counts from.
var begin = sync.OnceValue(time.Now)

// sinceBoot stands still while the machine is suspended on some systems: the
// fall-back is made for Linux, and builds elsewhere for those who develop.
func sinceBoot() time.Duration { return time.Since(begin()) }
