package pipelines_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

// pipeline is what these tests look at of a pipeline's file.
type pipeline struct {
	Resources []struct {
		Name, Type string
		Source     map[string]any
	}
	Jobs []job
}

type job struct {
	Name         string
	Public       bool
	SerialGroups []string `yaml:"serial_groups"`
	Kept         any      `yaml:"build_log_retention"`
	Plan         []step
}

type step struct {
	Get, Put, Task string
	File, Timeout  string
	Attempts       int
	Passed         []string
	Trigger        *bool
	Params         map[string]any
	InParallel     []step `yaml:"in_parallel"`
}

// task is what these tests look at of a task's file.
type task struct {
	Inputs []struct{ Name string }
	Params map[string]any
	Run    struct{ Path string }
}

func parse[T any](t *testing.T, path string) T {
	t.Helper()
	var into T
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &into), path)
	return into
}

func all(t *testing.T) map[string]pipeline {
	t.Helper()
	files, err := filepath.Glob("*.yml")
	require.NoError(t, err)
	found := map[string]pipeline{}
	for _, file := range files {
		if !strings.HasSuffix(file, ".example.yml") && file != "vars.yml" {
			found[file] = parse[pipeline](t, file)
		}
	}
	require.Len(t, found, 5)
	return found
}

// steps are those of a job, however they are nested.
func (j job) steps() []step { return flat(j.Plan) }

func flat(steps []step) []step {
	var list []step
	for _, s := range steps {
		list = append(list, s)
		list = append(list, flat(s.InParallel)...)
	}
	return list
}

func (p pipeline) job(t *testing.T, name string) job {
	t.Helper()
	i := slices.IndexFunc(p.Jobs, func(j job) bool { return j.Name == name })
	require.GreaterOrEqual(t, i, 0, "no job %s", name)
	return p.Jobs[i]
}

func (j job) get(t *testing.T, name string) step {
	t.Helper()
	i := slices.IndexFunc(j.steps(), func(s step) bool { return s.Get == name })
	require.GreaterOrEqual(t, i, 0, "%s does not get %s", j.Name, name)
	return j.steps()[i]
}

// after says whether a version must have passed one job before another takes it.
func (p pipeline) after(t *testing.T, later, earlier string) bool {
	for _, s := range p.job(t, later).steps() {
		for _, passed := range s.Passed {
			if passed == earlier || p.after(t, passed, earlier) {
				return true
			}
		}
	}
	return false
}

// The norm is CHALLENGE.md, section 5; the names are read from its table.
func TestTheJobsAreThoseOfTheNorm(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../CHALLENGE.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n| job | does |\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n\n")
	var norm []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(section, -1) {
		norm = append(norm, row[1])
	}
	require.Len(t, norm, 7)
	var have []string
	for _, j := range all(t)["bogops.yml"].Jobs {
		have = append(have, j.Name)
	}
	require.ElementsMatch(t, norm, have)
}

func TestTheJobsAreChainedAsTheNormWants(t *testing.T) {
	t.Parallel()
	p := all(t)["bogops.yml"]
	require.True(t, p.after(t, "app-deploy", "app-test"))
	require.True(t, p.after(t, "app-deploy", "app-package"))
	require.True(t, p.after(t, "app-package", "app-test"))
	require.True(t, p.after(t, "platform-smoke", "app-deploy"))
	require.True(t, p.after(t, "infra-apply", "infra-plan"))
	require.False(t, p.after(t, "app-test", "app-deploy"))

	deploy := p.job(t, "app-deploy")
	require.Equal(t, false, *deploy.get(t, "nonce").Trigger)
	require.Empty(t, deploy.get(t, "nonce").Passed)
	require.Equal(t, true, *deploy.get(t, "package").Trigger)
	for _, s := range p.job(t, "infra-apply").steps() {
		require.Nil(t, s.Trigger, "a person starts infra-apply")
	}
	for _, name := range []string{"app-deploy", "app-rollback", "infra-apply"} {
		require.Equal(t, []string{"platform"}, p.job(t, name).SerialGroups, "two at once would meet on the fleet")
	}
	for _, r := range p.Resources {
		if r.Name == "nonce" {
			require.Equal(t, "git", r.Type)
			require.Equal(t, "main", r.Source["branch"])
			require.NotContains(t, r.Source, "depth", "whole clones only")
		}
	}
}

func TestEveryJobIsBoundedAndNoneIsTriedAgain(t *testing.T) {
	t.Parallel()
	for file, p := range all(t) {
		for _, j := range p.Jobs {
			if file != "reconfigure.yml" {
				require.NotNil(t, j.Kept, "%s %s keeps its logs for ever", file, j.Name)
			}
			for _, s := range j.steps() {
				require.Zero(t, s.Attempts, "%s %s: a retry hides a flake", file, j.Name)
				if s.Task != "" {
					require.NotEmpty(t, s.Timeout, "%s %s may hang", file, j.Name)
				}
			}
		}
	}
}

// A resource keeps its own credentials to itself; a task prints what it likes.
func TestNoPublicJobGivesATaskASecret(t *testing.T) {
	t.Parallel()
	secrets := parse[map[string]string](t, "secrets.example.yml")
	require.Contains(t, secrets, "fleet_token")
	private := 0
	for file, p := range all(t) {
		for _, j := range p.Jobs {
			for _, s := range j.steps() {
				text, err := yaml.Marshal(s.Params)
				require.NoError(t, err)
				for name := range secrets {
					if s.Task != "" && strings.Contains(string(text), "(("+name+"))") {
						require.False(t, j.Public, "%s: %s is public, and its task %s is given %s", file, j.Name, s.Task, name)
						private++
					}
				}
			}
		}
	}
	require.Positive(t, private)
}

// What is secret must not be in git, and what is in git must not need to be.
func TestTheExamplesNameAllThatThePipelinesAskFor(t *testing.T) {
	t.Parallel()
	given := parse[map[string]any](t, "vars.example.yml")
	for name, value := range parse[map[string]string](t, "secrets.example.yml") {
		require.Empty(t, value, "a secret in git: %s", name)
		given[name] = value
	}
	given["branch"] = "of the instance"
	for file := range all(t) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, asked := range regexp.MustCompile(`\(\(([a-z0-9_.]+)\)\)`).FindAllStringSubmatch(string(text), -1) {
			if strings.HasPrefix(asked[1], ".") || asked[1] == "name" {
				continue
			}
			var value any = given
			for _, part := range strings.Split(asked[1], ".") {
				inner, ok := value.(map[string]any)
				require.True(t, ok, "%s: ((%s))", file, asked[1])
				require.Contains(t, inner, part, "%s: ((%s))", file, asked[1])
				value = inner[part]
			}
		}
	}
}

func TestEveryTaskIsAScriptThatCallsOneTarget(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../Makefile")
	require.NoError(t, err)
	scripts, err := filepath.Glob("tasks/*/run.sh")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, string(text), "\nset -euo pipefail\n", path)
		require.NotRegexp(t, `set -[a-z]*x|xtrace`, string(text), "%s prints secrets", path)
		calls := regexp.MustCompile(`(?m)\bmake ([a-z-]+)`).FindAllStringSubmatch(string(text), -1)
		require.Len(t, calls, 1, path)
		require.Regexp(t, `(?m)^([a-z-]+ )*`+calls[0][1]+`( [a-z-]+)*:`, string(makefile), path)
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.NotZero(t, info.Mode()&0o100, "%s is not executable", path)

		name := filepath.Base(filepath.Dir(path))
		require.Regexp(t, `^[a-z]+-[a-z]+$`, name, "a verb and a noun")
		described := parse[task](t, filepath.Join(filepath.Dir(path), "task.yml"))
		require.Equal(t, "source/pipelines/tasks/"+name+"/run.sh", described.Run.Path)
	}
}

// Each task that a pipeline names is there, and gets the inputs and params that
// it asks for.
func TestPipelinesGiveTasksWhatTheyAskFor(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for file, p := range all(t) {
		for _, j := range p.Jobs {
			have := map[string]bool{"dist": true, "branches": true} // outputs of earlier tasks
			for _, s := range j.steps() {
				have[s.Get] = true
				if s.Task == "" {
					continue
				}
				require.Equal(t, "source/pipelines/tasks/"+s.Task+"/task.yml", s.File, "%s %s", file, j.Name)
				used[s.Task] = true
				described := parse[task](t, filepath.Join("tasks", s.Task, "task.yml"))
				for _, input := range described.Inputs {
					require.True(t, have[input.Name], "%s %s: task %s wants %s", file, j.Name, s.Task, input.Name)
				}
				for name, value := range described.Params {
					if value == nil {
						require.Contains(t, s.Params, name, "%s %s: task %s requires it", file, j.Name, s.Task)
					}
				}
				for name := range s.Params {
					require.Contains(t, described.Params, name, "%s %s: task %s does not know it", file, j.Name, s.Task)
				}
			}
		}
	}
	dirs, err := filepath.Glob("tasks/*")
	require.NoError(t, err)
	require.Len(t, used, len(dirs), "a task that no pipeline uses")
}

// The images that the pipelines make are of the names that their resources look
// for, and in their order.
func TestWhatIsPackagedIsWhatTheResourcesFind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ resource, file string }{
		{"package", "bogops/bogops-app-0.0.305-08f7f8bb99af.tar.gz"},
		{"image", "bogops/bogops-image-0.0.305-08f7f8bb99af.tar"},
		{"tools", "bogops/bogops-tools-0.0.305-08f7f8bb99af.tar.gz"},
	} {
		for _, r := range all(t)["bogops.yml"].Resources {
			if r.Type == "s3" {
				matches := regexp.MustCompile("^" + r.Source["regexp"].(string) + "$").FindStringSubmatch(c.file)
				require.Equal(t, r.Name == c.resource, matches != nil, "%s and %s", r.Name, c.file)
				if matches != nil {
					require.Equal(t, "0.0.305-08f7f8bb99af", matches[1])
				}
			}
		}
	}
}

func TestFlyAcceptsEveryPipelineWithoutAWarning(t *testing.T) {
	t.Parallel()
	fly := flyProgram(t)
	for file := range all(t) {
		args := []string{"validate-pipeline", "--strict", "--enable-across-step", "-c", file, "-l", "vars.example.yml", "-l", "secrets.example.yml"}
		if file == "branch.yml" {
			args = append(args, "-v", "branch=feature/x")
		}
		out, err := exec.CommandContext(t.Context(), fly, args...).CombinedOutput()
		require.NoError(t, err, "%s: %s", file, out)
		require.Contains(t, string(out), "looks good", file)
	}
}

func TestFlyRefusesAPipelineThatIsWrong(t *testing.T) {
	t.Parallel()
	fly := flyProgram(t)
	text, err := os.ReadFile("bogops.yml")
	require.NoError(t, err)
	broken := filepath.Join(t.TempDir(), "bogops.yml")
	require.NoError(t, os.WriteFile(broken, []byte(strings.Replace(string(text), "passed: [app-package]", "passed: [package-app]", 1)), 0o600))
	out, err := exec.CommandContext(t.Context(), fly, "validate-pipeline", "--strict", "-c", broken, "-l", "vars.example.yml", "-l", "secrets.example.yml").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "unknown job 'package-app'")
}
