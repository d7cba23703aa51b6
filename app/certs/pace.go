package certs

import "time"

// pace holds the clock and the durations of this package, so that tests can be
// quick and can move time.
type pace struct {
	now func() time.Time
	// reload is how often certificate files are compared.
	reload time.Duration
}

func defaultPace() pace {
	return pace{now: time.Now, reload: time.Second}
}
