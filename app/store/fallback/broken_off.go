//go:build !brokenrules

package fallback

import "time"

// brokenRules are none in every binary that serves anybody.
func brokenRules() (broken, error) { return broken{}, nil }

// wallOff is nothing, as for brokenRules.
func wallOff() time.Duration { return 0 }
