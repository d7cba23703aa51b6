//go:build brokenrules

package fallback

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// brokenRules reads from BOGOPS_BROKEN_RULES, separated by commas, which rules
// this binary breaks.
func brokenRules() (broken, error) {
	var b broken
	rules := map[string]*bool{
		"no-wait": &b.noWait, "no-second": &b.noSecond, "unguarded-s3": &b.unguardedS3,
		"delete-removes": &b.deleteRemoves, "first-hit": &b.firstHit, "no-help": &b.noHelp,
		"list-at-once": &b.listAtOnce,
	}
	for _, name := range strings.FieldsFunc(os.Getenv("BOGOPS_BROKEN_RULES"), func(r rune) bool { return r == ',' }) {
		if rules[name] == nil {
			return broken{}, fmt.Errorf("BOGOPS_BROKEN_RULES: %q given; no rule to break has that name", name)
		}
		*rules[name] = true
	}
	return b, nil
}

// wallOff is how far this machine's time of day is off, by BOGOPS_WALL_OFF:
// nothing may depend on it. What is no duration is none.
func wallOff() time.Duration {
	off, _ := time.ParseDuration(os.Getenv("BOGOPS_WALL_OFF"))
	return off
}
