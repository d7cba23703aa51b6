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
	At       time.Time // when it was known
	Nonce    string
	Build    string        // the build's name, as people see it; empty: none was made
	Version  string        // that the platform describes with the nonce; empty: none
	Live, Of int           // of Of fresh connections, Live described a version that ends with "+" and the nonce; 0 of 0: none was asked
	Took     time.Duration // from the trigger to live; 0: never live
	Err      error         // a finding of package verdict; nil: it is live
}

// Prove asks the platform for its version over fresh connections, and returns
// what they described. Proof.Err is nil where enough of them described nonce.
func Prove(ctx context.Context, t target.Target, nonce string) Proof {
	seen := count(ctx, t, nonce, freshConnections)
	return Proof{At: t.Clock(), Nonce: nonce, Version: seen.version, Live: seen.live, Of: seen.of, Err: seen.judge(ctx, t)}
}

// Directly is a Deploy without a pipeline, for rehearsals that have none: roll
// puts the nonce out itself and returns when it has.
func Directly(t target.Target, roll func(ctx context.Context, nonce string) error) Deploy {
	return func(ctx context.Context, nonce string, told func(Step)) Proof {
		began := t.Clock()
		if err := roll(ctx, nonce); err != nil {
			return Proof{At: t.Clock(), Nonce: nonce, Err: &verdict.Error{Status: verdict.Mumble, Message: "The roll-out failed", Err: err}}
		}
		proof := Prove(ctx, t, nonce)
		proof.live(began, told, 0)
		return proof
	}
}

// live completes a proof of a nonce that is live and was triggered at began.
func (p *Proof) live(began time.Time, told func(Step), build int) {
	if p.Err != nil {
		return
	}
	p.Took = p.At.Sub(began)
	if told != nil {
		told(Step{At: p.At, Kind: Live, Detail: fmt.Sprintf("%d/%d", p.Live, p.Of), Build: build})
	}
}

// glance is how many connections are asked between two proofs.
const glance = 5

// lastProof bounds a proof that the end of its time has interrupted.
const lastProof = time.Minute

// awaitLive proves nonce, and where it is not live yet goes on asking, every
// now and then, until ctx ends. What it then returns is the last proof that was
// whole; one at least is: half a proof would blame whoever ended it.
func awaitLive(ctx context.Context, t target.Target, nonce string, every time.Duration) Proof {
	var whole *Proof
	for {
		proof := Prove(ctx, t, nonce)
		switch {
		case proof.Err == nil, errors.Is(ctx.Err(), context.Canceled):
			return proof
		case ctx.Err() != nil && whole != nil:
			return *whole
		case ctx.Err() != nil:
			longer, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastProof)
			defer cancel()
			return Prove(longer, t, nonce)
		}
		whole = &proof
		// A whole proof each time would be a load of its own.
		for count(ctx, t, nonce, glance).live < glance {
			if pause(ctx, every) != nil {
				return proof
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
	version  string         // one that carries the nonce
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
			s.version = version
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
