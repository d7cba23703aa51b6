package probe

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"bogops/validator/concourse"
	"bogops/validator/verdict"
)

// normed are the jobs that each pipeline has, by their exact names.
func normed() []string {
	return []string{"app-test", "app-package", "app-deploy", "app-rollback", "infra-plan", "infra-apply", "platform-smoke"}
}

// deployJob is the job that rolls out, and beforeIt those that it comes after.
const deployJob = "app-deploy"

func beforeIt() []string { return []string{"app-package", "app-test"} }

func concourseJobs(ctx context.Context, s *Session, way *Concourse) (string, error) {
	jobs, err := way.Client.Jobs(ctx)
	if err != nil {
		return "", err
	}
	names := namesOf(jobs)
	s.note("jobs", names)
	if wrong := misnamed(names); len(wrong) > 0 {
		return "", verdict.Wrong("Jobs of the pipeline", strings.Join(wrong, "; "), "each by its exact name: "+strings.Join(normed(), ", "))
	}
	var paused []string
	for _, job := range jobs {
		if job.Paused && slices.Contains(normed(), job.Name) {
			paused = append(paused, job.Name)
		}
	}
	if len(paused) > 0 {
		return "", verdict.Wrong("Jobs of the pipeline", strings.Join(paused, ", ")+" paused", "none of the norm's paused")
	}
	return fmt.Sprintf("all %d jobs of the norm, among %d", len(normed()), len(names)), nil
}

func namesOf(jobs []concourse.Job) []string {
	names := make([]string, len(jobs))
	for i, job := range jobs {
		names[i] = job.Name
	}
	return names
}

// misnamed says of each normed job that is missing which other name was meant,
// where that shows.
func misnamed(names []string) []string {
	var wrong []string
	for _, want := range normed() {
		if slices.Contains(names, want) {
			continue
		}
		meant := slices.IndexFunc(names, func(name string) bool {
			return !slices.Contains(normed(), name) && alike(name, want)
		})
		if meant >= 0 {
			wrong = append(wrong, fmt.Sprintf("%s is not %s", short(names[meant]), want))
		} else {
			wrong = append(wrong, "no "+want)
		}
	}
	return wrong
}

// alike says whether somebody who wrote got meant want: the same letters but
// for case and signs, the same words in another order, or one slip of the pen.
func alike(got, want string) bool {
	words := func(name string) []string {
		return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	}
	ours, theirs := words(want), words(got)
	a, b := strings.Join(theirs, ""), strings.Join(ours, "")
	slices.Sort(ours)
	slices.Sort(theirs)
	return slices.Equal(ours, theirs) || oneSlip(a, b)
}

// oneSlip says whether a becomes b by changing, adding or leaving out at most
// one letter, or by swapping two neighbours.
func oneSlip(a, b string) bool {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	swapped := len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
	return len(a) <= 1 && len(b) <= 1 || swapped
}

// concourseChain wants one input that has passed all: of two inputs Concourse may
// take two revisions, and one that was tested says nothing of a package that was
// made of another.
func concourseChain(ctx context.Context, s *Session, way *Concourse) (string, error) {
	jobs, err := way.Client.Jobs(ctx)
	if err != nil {
		return "", err
	}
	after := passedBy(jobs)
	s.note("passed", after)
	want := deployJob + " after " + strings.Join(beforeIt(), " and ") + ", by passed of one input"
	i := slices.IndexFunc(jobs, func(job concourse.Job) bool { return job.Name == deployJob })
	if i < 0 {
		return "", verdict.Wrong("What is rolled out", "no job "+deployJob, want)
	}
	got := []string{}
	for _, input := range jobs[i].Inputs {
		through := upstream(after, input.Passed)
		if !slices.ContainsFunc(beforeIt(), func(job string) bool { return !slices.Contains(through, job) }) {
			return want, nil
		}
		if len(through) > 0 {
			got = append(got, input.Name+" after "+strings.Join(through, " and "))
		}
	}
	if len(got) == 0 {
		got = append(got, deployJob+" after nothing")
	}
	return "", verdict.Wrong("What is rolled out need not have passed "+strings.Join(beforeIt(), " and "), short(strings.Join(got, ", ")), want)
}

// passedBy is, of each job, those that one of its inputs must have passed.
func passedBy(jobs []concourse.Job) map[string][]string {
	after := map[string][]string{}
	for _, job := range jobs {
		after[job.Name] = []string{}
		for _, input := range job.Inputs {
			after[job.Name] = append(after[job.Name], input.Passed...)
		}
	}
	return after
}

// upstream is every job that something has passed which passed these, directly or
// through others, in the order of their names.
func upstream(after map[string][]string, passed []string) []string {
	var found []string
	for next := slices.Clone(passed); len(next) > 0; {
		before := next[0]
		next = next[1:]
		if !slices.Contains(found, before) {
			found = append(found, before)
			next = append(next, after[before]...)
		}
	}
	slices.Sort(found)
	return found
}
