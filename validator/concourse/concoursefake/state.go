package concoursefake

import (
	"context"
	"time"
)

// State is what a mock serves. Server.Bend changes it.
type State struct {
	Version   string // of Concourse
	Cluster   string
	Team      string
	Users     []User
	Pipeline  Pipeline
	Jobs      []*Job
	Resources []*Resource
	Workers   []Worker

	TokenLife time.Duration // how long tokens last
	CutEvents int           // every connection breaks off after so many events; 0: none does
}

// Job returns the job of that name; nil: there is none.
func (s *State) Job(name string) *Job {
	for _, job := range s.Jobs {
		if job.Name == name {
			return job
		}
	}
	return nil
}

// Resource returns the resource of that name; nil: there is none.
func (s *State) Resource(name string) *Resource {
	for _, resource := range s.Resources {
		if resource.Name == name {
			return resource
		}
	}
	return nil
}

// The roles of a team, weakest first. A user without one sees only what
// everybody does.
const (
	Viewer   = "viewer"
	Operator = "pipeline-operator"
	Member   = "member"
	Owner    = "owner"
)

// User is somebody with a password, and a role in the team.
type User struct{ Name, Password, Role string }

// Pipeline is the one pipeline of the mock.
type Pipeline struct {
	Name                      string
	Instance                  map[string]any // its vars; nil: no instanced pipeline
	Exposed, Paused, Archived bool
}

// Job is a job of the pipeline.
type Job struct {
	Name           string
	Public, Paused bool
	Inputs         []Input
	Outputs        []string // resources that get a version by each build that succeeds

	// Last is how the newest build stood when the mock began; empty: there was
	// none.
	Last string
	// Ends is how builds end; empty: succeeded. Pending ones never begin.
	Ends string
	// Run does what the builds do, and says how they end; nil: nothing, as Ends
	// says.
	Run func(ctx context.Context, r Run) Result
}

// Input is a `get` of a job.
type Input struct {
	Name, Resource string // Resource empty: as Name
	Passed         []string
	Trigger        bool
}

func (i Input) resource() string {
	if i.Resource == "" {
		return i.Name
	}
	return i.Resource
}

// Resource has versions, oldest first.
type Resource struct {
	Name     string
	Type     string
	Versions []map[string]string
	// Check finds versions newer than the last; nil: there are none.
	Check func(ctx context.Context) ([]map[string]string, error)
	// Get fetches a version for a build, and says how that ended; nil: it
	// succeeds.
	Get func(ctx context.Context, version map[string]string) Result
}

// Worker is a machine that builds run on.
type Worker struct {
	Name, State, Team string // State: running, stalled, ...; Team empty: everybody's
}

// Run is what a build finds when it begins.
type Run struct {
	Build  int
	Job    string
	Inputs map[string]map[string]string // versions by name of the input
	Log    func(text string)            // writes to the build's log
}

// Result is how a build ended.
type Result struct {
	Status  string // succeeded, failed or errored; empty: succeeded
	Exit    int    // of the step, where it failed
	Message string // of the error
}

// The statuses of a build.
const (
	pending   = "pending"
	started   = "started"
	succeeded = "succeeded"
	failed    = "failed"
	errored   = "errored"
	aborted   = "aborted"
)

const deployJob = "app-deploy"

// Normed is a pipeline as the contract has it, with everything green: team
// otters; owner and owner-password, judge and judge-password of the role
// pipeline-operator, looker and looker-password.
func Normed() *State {
	source := func(passed ...string) Input { return Input{Name: "source", Passed: passed} }
	return &State{
		Version: "7.6.0", Cluster: "mock", Team: "otters", TokenLife: 24 * time.Hour,
		Users: []User{
			{"owner", "owner-password", Owner}, {"judge", "judge-password", Operator}, {"looker", "looker-password", Viewer},
		},
		Pipeline: Pipeline{Name: "bogops", Exposed: true},
		Jobs: []*Job{
			{Name: "app-test", Public: true, Last: succeeded, Inputs: []Input{{Name: "source", Trigger: true}}},
			{
				Name: "app-package", Public: true, Last: succeeded, Outputs: []string{"package"},
				Inputs: []Input{{Name: "source", Passed: []string{"app-test"}, Trigger: true}},
			},
			{
				Name: deployJob, Public: true, Last: succeeded,
				Inputs: []Input{{Name: "package", Passed: []string{"app-package"}, Trigger: true}, {Name: "nonce"}},
			},
			{Name: "app-rollback", Public: true, Last: succeeded},
			{Name: "infra-plan", Public: true, Last: succeeded, Inputs: []Input{source("app-test")}},
			{Name: "infra-apply", Public: true, Last: succeeded, Inputs: []Input{source("infra-plan")}},
			{Name: "platform-smoke", Public: true, Last: succeeded, Inputs: []Input{{Name: "package", Passed: []string{deployJob}, Trigger: true}}},
		},
		Resources: []*Resource{
			{Name: "source", Type: "git", Versions: []map[string]string{{"ref": "90e2da6d2784c88c6f67f5cf67cccdbf483bd5e3"}}},
			{Name: "package", Type: "s3"},
			{Name: "nonce", Type: "git", Versions: []map[string]string{{"ref": "6f0922356fb615174f7d236f5f4ffbce385a9224"}}},
		},
		Workers: []Worker{{Name: "w1", State: "running"}},
	}
}
