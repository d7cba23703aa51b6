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
//
// Who asks until it passes proves nothing: where 9 of 10 instances are new one
// proof in nine passes by luck. So each that was not live makes the next have to
// hold once more in a row, up to mostInARow.
func awaitLive(ctx context.Context, t target.Target, nonce string, every time.Duration) Proof {
	whole := Prove(ctx, t, nonce)
	if whole.Err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		longer, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastProof)
		defer cancel()
		return Prove(longer, t, nonce)
	}
	for inARow := 2; whole.Err != nil; inARow++ {
		// A whole proof each time would be a load of its own.
		for count(ctx, t, nonce, glance).live < glance {
			if pause(ctx, every) != nil {
				return whole
			}
		}
		again := repeat(ctx, t, nonce, min(inARow, mostInARow))
		if again.Err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return whole
		}
		whole = again
	}
	return whole
}

// mostInARow is how many proofs have to hold at most: with 9 of 10 instances new
// four do once in 6000 times.
const mostInARow = 4

// repeat proves nonce several times in a row, and returns the first proof that
// was not live, or the last.
func repeat(ctx context.Context, t target.Target, nonce string, times int) (proof Proof) {
	for range times {
		if proof = Prove(ctx, t, nonce); proof.Err != nil {
			break
		}
	}
	return proof
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
	versions map[string]int // the others, by what they described, or said instead
	silent   int            // gave no whole answer
	failure  error          // one of those
}

func count(ctx context.Context, t target.Target, nonce string, of int) sight {
	s := sight{of: of, versions: map[string]int{}}
	for range of {
		version, instead, err := Described(ctx, t)
		switch {
		case err != nil:
			s.silent++
			s.failure = err
		case instead != "":
			s.versions[instead]++
		case strings.HasSuffix(version, "+"+nonce):
			s.live++
			s.version = cutBefore(version, mostWords)
		default:
			s.versions[version]++
		}
	}
	return s
}

// mostVersions is how many of the versions are said, and mostVersion how many
// bytes of each.
const (
	mostVersions = 3
	mostVersion  = 80
)

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
	for i, version := range slices.Sorted(maps.Keys(s.versions)) {
		if i == mostVersions {
			got += fmt.Sprintf(", and %d others", len(s.versions)-i)
			break
		}
		got += fmt.Sprintf(", %d times %q", s.versions[version], cut(version, mostVersion))
	}
	if s.silent > 0 {
		got += fmt.Sprintf(", %d times no answer (%s)", s.silent, cut(s.failure.Error(), mostSaid))
	}
	return verdict.Wrong("The fresh nonce is not live: fresh connections that describe it", got, fmt.Sprintf("at least %d of %d", enough, s.of))
}

// Described returns the version that one instance describes itself with, over a
// connection of its own. Where it answers, and that is no self-description,
// instead says what it is, and there is no version: not even one that stands in
// it.
func Described(ctx context.Context, t target.Target) (version, instead string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	client := target.NewClient(t)
	defer client.Close()
	reply, err := client.Do(ctx, target.Request{Method: http.MethodGet, Path: "/.well-known/bogops.json", Fresh: true})
	if err != nil {
		return "", "", err
	}
	if reply.Status != http.StatusOK {
		return "", fmt.Sprintf("status %d: %s", reply.Status, reply.Excerpt(60)), nil
	}
	var description struct{ Version string }
	if err := json.Unmarshal(reply.Body, &description); err != nil {
		return "", fmt.Sprintf("no JSON: %s", reply.Excerpt(60)), nil
	}
	return description.Version, "", nil
}
