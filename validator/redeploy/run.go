package redeploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"bogops/validator/concourse"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// run is one redeployment.
type run struct {
	*Line
	told    func(Step)
	outcome Outcome
	looking bool   // Concourse was asked to check, and the revision is not seen yet
	waits   string // what the build is pending for, once that is known
	reasons int    // how often that was told
	trouble string // what the build's events say went wrong; empty: nothing
	inputs  bool   // what the build took is known
	lost    bool   // the build could not fetch the nonce
}

func (r *run) run(ctx context.Context) error {
	for _, stage := range []func(context.Context) error{r.commit, r.check, r.trigger, r.begin, r.input, r.follow} {
		if err := stage(ctx); errors.Is(err, errOver) {
			return r.late(ctx)
		} else if err != nil {
			return err
		}
	}
	return r.conclude(ctx)
}

// errOver says that ctx has ended before a stage had.
var errOver = errors.New("the time is over")

// late is the finding where ctx ends before the build does.
func (r *run) late(ctx context.Context) error {
	if r.outcome.Build != 0 {
		r.tell(Left, fmt.Sprintf("build %s goes on without the judge", r.outcome.Name))
	}
	const want = "the build's end in the time that a redeployment has"
	if stopped := stopped(ctx); stopped != nil {
		return stopped
	}
	if r.looking {
		if own := r.reachable(context.WithoutCancel(ctx)); own != nil {
			return own
		}
	}
	switch {
	case r.outcome.Build == 0:
		return verdict.New(verdict.Down, "Concourse did not make a build in time", "none", want)
	case r.outcome.Status == concourse.Pending:
		return verdict.New(verdict.Down, "The build never started", orElse(r.waits, "pending"), want)
	}
	return verdict.New(verdict.Mumble, "The build did not end in time", orElse(r.trouble, "still running"), want)
}

// tell notes a step, in words that may be shown.
func (r *run) tell(kind, detail string) {
	if r.told != nil {
		r.told(Step{At: r.now(), Kind: kind, Detail: r.short(detail, mostWords), Build: r.outcome.Build})
	}
}

func (r *run) commit(ctx context.Context) error {
	revision, err := r.Nonces.Commit(ctx, r.Team, r.outcome.Nonce)
	if err != nil {
		if stopped := stopped(ctx); stopped != nil {
			return stopped
		}
		return &verdict.Error{Status: verdict.JudgeError, Message: "The judge could not commit its nonce", Err: err}
	}
	r.outcome.Revision = revision
	r.tell(Committed, revision)
	return nil
}

// trigger starts the job. Where its answer is lost nobody knows whether a build
// was made; any that is newer than those before will do, since the revision is
// there already for it to take.
func (r *run) trigger(ctx context.Context) error {
	const want = "a build of the job"
	newest := 0
	err := r.ask(ctx, want, func() error {
		builds, err := r.Client.Builds(ctx, r.job(), 1)
		if len(builds) > 0 {
			newest = builds[0].ID
		}
		return err
	})
	if err != nil {
		return err
	}
	var build concourse.Build
	lost := false
	err = r.ask(ctx, want, func() (err error) {
		if lost {
			builds, err := r.Client.Builds(ctx, r.job(), 1)
			if err != nil {
				return err
			}
			if len(builds) > 0 && builds[0].ID > newest {
				build = builds[0]
				return nil
			}
		}
		r.outcome.Triggered = r.now()
		build, err = r.Client.Trigger(ctx, r.job())
		lost = err != nil
		return err
	})
	if err != nil {
		return err
	}
	r.outcome.Build, r.outcome.Name, r.outcome.Status = build.ID, r.short(build.Name, mostName), r.shortStatus(build.Status)
	r.tell(Triggered, r.outcome.Name)
	return nil
}

// mostReasons is how many reasons of a pending build are told: what they say, and
// whether two are the same, is the team's.
const mostReasons = 5

// begin waits until the build starts. One that waits for longer than it should
// is told of with its reasons, and goes on being waited for.
func (r *run) begin(ctx context.Context) error {
	since := r.now()
	for r.outcome.Status == concourse.Pending {
		if r.now().Sub(since) >= r.Wait.start() {
			if reason := r.short(r.reason(ctx), mostWords); reason != r.waits && ctx.Err() == nil {
				r.waits = reason
				if r.reasons++; r.reasons <= mostReasons {
					r.tell(Pending, reason)
				}
			}
		}
		if pause(ctx, r.Wait.poll()) != nil {
			return errOver
		}
		if err := r.look(ctx); err != nil {
			return err
		}
	}
	r.tell(Started, "")
	return nil
}

// look reads how the build stands.
func (r *run) look(ctx context.Context) error {
	return r.ask(ctx, "the build's status", func() error {
		build, err := r.Client.Build(ctx, r.outcome.Build)
		if err == nil {
			r.outcome.Status = r.shortStatus(build.Status)
		}
		return err
	})
}

// reason is what keeps a pending build from starting.
func (r *run) reason(ctx context.Context) string {
	preparation, err := r.Client.Preparation(ctx, r.outcome.Build)
	if err != nil {
		return "pending; why, Concourse does not tell: " + err.Error()
	}
	if reasons := preparation.Reasons(); len(reasons) > 0 {
		return strings.Join(reasons, "; ")
	}
	return "pending, and nothing blocks it: no worker takes it"
}

// input notes which revision the build took. Where that cannot be read the proof
// on the platform has to do.
func (r *run) input(ctx context.Context) error {
	inputs, err := r.Client.Inputs(ctx, r.outcome.Build)
	if err != nil {
		return nil
	}
	r.inputs = true
	for _, input := range inputs {
		if input.Resource == r.resource() {
			r.outcome.Took = r.short(input.Version["ref"], mostName)
		}
	}
	switch r.outcome.Took {
	case r.outcome.Revision:
		r.tell(Took, r.outcome.Took)
	case "":
		r.tell(Took, "no "+r.resource())
	default:
		r.tell(Took, r.outcome.Took+", which is not the nonce's")
	}
	return nil
}

// ask asks again while Concourse gives no answer, for as long as its front door
// may take to be restarted. The error is a finding, or errOver. Where the time
// is over while nothing was answered, what was met until then says whose fault
// it is: the judge's own resolver must not become a build that was not made.
func (r *run) ask(ctx context.Context, want string, question func() error) error {
	since := time.Now()
	var met error // while there was time
	for {
		err := question()
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			met = err
		}
		if !mayPass(err) || time.Since(since) > r.Wait.check()/2 || pause(ctx, r.Wait.poll()) != nil {
			if stopped(ctx) != nil || met == nil {
				return errOver
			}
			return concourse.Settle(ctx, r.Target, met, want)
		}
	}
}

// mayPass says whether the same question may be answered a moment later.
func mayPass(err error) bool {
	var answer *concourse.StatusError
	if errors.As(err, &answer) {
		return answer.Status >= 500
	}
	return errors.Is(err, concourse.ErrUnreachable)
}

// stopped is the finding where the judge itself ended ctx; nil: it did not.
func stopped(ctx context.Context) error {
	if !errors.Is(ctx.Err(), context.Canceled) {
		return nil
	}
	return &verdict.Error{Status: verdict.NotChecked, Message: "The judge stopped the redeployment", Err: ctx.Err()}
}

// reachable asks the judge's own server for the revision as Concourse does. The
// error is a finding, and says nothing of the path.
func (r *run) reachable(ctx context.Context) error {
	if r.Public.URL == nil {
		return verdict.New(verdict.NotChecked, "Whether Concourse can reach the judge's repository is not known", "no URL of the judge", "judge.url in the contest file")
	}
	client := target.NewClient(r.Public)
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	reply, err := client.Do(ctx, target.Request{Method: "GET", Path: r.Nonces.Path(r.Team) + "/info/refs", Fresh: true})
	own := &verdict.Error{Status: verdict.JudgeError, Message: "The judge's own repository is not served at " + r.Public.URL.Host, Want: "its newest revision"}
	var failure *target.Failure
	switch {
	case errors.As(err, &failure):
		own.Got = string(failure.Kind)
	case err != nil:
		own.Got = "no answer"
	case reply.Status != 200:
		own.Got = fmt.Sprintf("status %d", reply.Status)
	case !strings.HasPrefix(string(reply.Body), r.outcome.Revision):
		own.Got = "another revision"
	default:
		return nil
	}
	return own
}
