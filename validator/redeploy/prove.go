package redeploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

// A nonce is live once at least livePerCent of freshConnections describe it
// (CHALLENGE.md, section 5). Each connection may reach another instance.
const (
	freshConnections = 50
	livePerCent      = 95
)

// enough is how many of freshConnections livePerCent are, rounded up.
const enough = (freshConnections*livePerCent + 99) / 100

// Proof is what became of one nonce.
type Proof struct {
	At       time.Time     // when it was known
	Nonce    string        //
	Live, Of int           // of Of fresh connections, Live described a version that ends with "+" and the nonce; 0 of 0: none was asked
	Took     time.Duration // from the trigger to live; 0: never live
	Err      error         // a finding of package verdict; nil: it is live
}

// Prove asks the platform for its version over fresh connections, and returns
// how many of how many described nonce. The error is nil where that is enough.
func Prove(ctx context.Context, t target.Target, nonce string) (live, of int, err error) {
	seen := count(ctx, t, nonce, freshConnections)
	return seen.live, freshConnections, seen.judge(ctx, t)
}

// glance is how many connections are asked between two proofs.
const glance = 5

// awaitLive proves nonce, and where it is not live yet goes on asking, every
// now and then, until ctx ends. What it then returns is the last proof.
func awaitLive(ctx context.Context, t target.Target, nonce string, every time.Duration) (live, of int, err error) {
	for {
		if live, of, err = Prove(ctx, t, nonce); err == nil || ctx.Err() != nil {
			return live, of, err
		}
		// A whole proof each time would be a load of its own.
		for count(ctx, t, nonce, glance).live < glance {
			if pause(ctx, every) != nil {
				return live, of, err
			}
		}
	}
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sight is what some fresh connections described.
type sight struct {
	live, of int
	versions map[string]int // the others, by what they described
	silent   int            // gave no whole answer
	failure  error          // one of those
}

func count(ctx context.Context, t target.Target, nonce string, of int) sight {
	s := sight{of: of, versions: map[string]int{}}
	for range of {
		version, err := Described(ctx, t)
		switch {
		case err != nil:
			s.silent++
			s.failure = err
		case strings.HasSuffix(version, "+"+nonce):
			s.live++
		default:
			s.versions[version]++
		}
	}
	return s
}

// judge says what it means. Where silence made the difference, whose fault that
// is decides.
func (s sight) judge(ctx context.Context, t target.Target) error {
	if s.live >= enough {
		return nil
	}
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return verdict.New(verdict.NotChecked, "The judge stopped the proof", "cancelled", "")
	}
	if s.live+s.silent >= enough {
		return t.Settle(ctx, s.failure)
	}
	got := fmt.Sprintf("%d of %d", s.live, s.of)
	for _, version := range slices.Sorted(maps.Keys(s.versions)) {
		got += fmt.Sprintf(", %d times %.80q", s.versions[version], version)
	}
	if s.silent > 0 {
		got += fmt.Sprintf(", %d times no answer (%v)", s.silent, s.failure)
	}
	return verdict.Wrong("The fresh nonce is not live: fresh connections that describe it", got, fmt.Sprintf("at least %d of %d", enough, s.of))
}

// Described returns the version that one instance describes itself with, over a
// connection of its own.
func Described(ctx context.Context, t target.Target) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	client := target.NewClient(t)
	defer client.Close()
	reply, err := client.Do(ctx, target.Request{Method: http.MethodGet, Path: "/.well-known/bogops.json", Fresh: true})
	if err != nil {
		return "", err
	}
	var description struct{ Version string }
	if err := json.Unmarshal(reply.Body, &description); err != nil {
		return fmt.Sprintf("no JSON: %s", reply.Excerpt(60)), nil
	}
	return description.Version, nil
}
