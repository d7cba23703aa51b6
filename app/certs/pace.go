package certs

import "time"

// pace holds the clock and the durations of this package, so that tests can be
// quick and can move time.
type pace struct {
	// now is what certificates' dates are compared with. How long something
	// takes is always measured on the real clock.
	now func() time.Time

	reload time.Duration // between two looks at certificate files

	urgent time.Duration // between two turns while a certificate is missing
	calm   time.Duration // the same while all are good for long
	store  time.Duration // limit for one call of the shared cache
	lease  time.Duration // length of the issuer's lease
	settle time.Duration // wait for the listeners before the first order
	rest   time.Duration // of a name after its first failed attempt
	order  time.Duration // limit for one attempt
}

func defaultPace() pace {
	return pace{
		now:    time.Now,
		reload: time.Second,
		urgent: 500 * time.Millisecond,
		calm:   time.Minute,
		store:  2 * time.Second,
		lease:  15 * time.Second,
		settle: 3 * time.Second,
		rest:   10 * time.Second,
		order:  3 * time.Minute,
	}
}
