package concourse_test

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/concourse"
	"bogops/infra/concourse/concoursetest"
)

const holderVariable = "BOGOPS_CONCOURSE_TEST_HOLDER"

// TestMain lets this binary be, in a process of its own, a program that started
// a Concourse and will be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(holderVariable); dir != "" {
		hold(dir)
	}
	os.Exit(m.Run())
}

func hold(dir string) {
	_, err := concourse.Start(context.Background(), concourse.Options{
		Dir: filepath.Join(dir, "c"), Types: filepath.Join(dir, "types"), Fast: true, Log: os.Stderr,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("serves")
	select {}
}

// A trace is what could stay of a Concourse on the machine. The namespaces are
// held, or the kernel would give their numbers to the next ones.
type trace struct {
	dir, id    string
	namespaces map[string]bool
}

// traceOf finds the namespaces of one that runs, at least so many.
func traceOf(t *testing.T, dir string, least int) trace {
	t.Helper()
	settings, err := os.ReadFile(filepath.Join(dir, "settings"))
	require.NoError(t, err)
	id, _, _ := strings.Cut(strings.TrimPrefix(string(settings), "id="), "\n")
	require.Len(t, id, 8)
	of := trace{dir, "bogops-concourse-" + id, map[string]bool{}}
	ours := namespaces(t, "self")
	for _, process := range processes(t) {
		if !strings.Contains(read("/proc/"+process+"/cgroup"), of.id) {
			continue
		}
		for kind, namespace := range namespaces(t, process) {
			if namespace == ours[kind] || of.namespaces[namespace] {
				continue
			}
			if held, err := os.Open("/proc/" + process + "/ns/" + kind); err == nil {
				t.Cleanup(func() { held.Close() })
				of.namespaces[namespace] = true
			}
		}
	}
	require.GreaterOrEqual(t, len(of.namespaces), least)
	return of
}

// whole is how many there are with a worker and a container: its own of each
// kind in both, but for one more of cgroups.
const whole = 7

// left says what there still is, but for a guard, which is of the process that
// started it.
func (of trace) left(t *testing.T) (found []string) {
	t.Helper()
	for _, process := range processes(t) {
		if strings.HasSuffix(read("/proc/"+process+"/cmdline"), "\x00guard\x00") {
			continue
		}
		if strings.Contains(read("/proc/"+process+"/cgroup"), of.id) || strings.Contains(read("/proc/"+process+"/cmdline"), of.dir) {
			found = append(found, "process "+process+" "+read("/proc/"+process+"/cmdline"))
		}
		if strings.Contains(read("/proc/"+process+"/mountinfo"), of.dir) {
			found = append(found, "mount in the namespace of "+process)
		}
		for _, namespace := range namespaces(t, process) {
			if of.namespaces[namespace] {
				found = append(found, namespace)
			}
		}
	}
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(entry.Name(), of.id) {
			found = append(found, path)
		}
		return nil // others come and go meanwhile
	})
	if _, err := os.Stat(of.dir); !os.IsNotExist(err) {
		found = append(found, of.dir)
	}
	return found
}

// gone waits until nothing is left but what may stay. Processes are dead when
// Stop returns; the machine's first process, who inherits some, has yet to see it.
func (of trace) gone(t *testing.T, but ...string) {
	t.Helper()
	var left []string
	require.Eventually(t, func() bool {
		left = of.left(t)
		return slices.Equal(left, but)
	}, soon, 100*time.Millisecond, "%v", &left)
}

func processes(t *testing.T) (ids []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	require.NoError(t, err)
	for _, entry := range entries {
		if strings.Trim(entry.Name(), "0123456789") == "" {
			ids = append(ids, entry.Name())
		}
	}
	return ids
}

// namespaces are those of a process by their kind; of one that just ended none.
// Those of mounts show in what they mount, and to hold one would hold that.
func namespaces(t *testing.T, process string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, kind := range []string{"net", "ipc", "pid", "cgroup"} {
		if name, err := os.Readlink("/proc/" + process + "/ns/" + kind); err == nil {
			found[kind] = name
		}
	}
	return found
}

func read(file string) string {
	text, _ := os.ReadFile(file)
	return string(text)
}

func TestTwoServeAtOnceAndOneStopsWithoutATraceWhileTheOtherGoesOn(t *testing.T) {
	t.Parallel()
	concoursetest.Needs(t)
	made := make(chan *concourse.Server, 2)
	for range 2 {
		go func() {
			defer func() { made <- nil }() // where own failed the test
			made <- own(t, concourse.Options{})
		}()
	}
	var two []*concourse.Server
	for range 4 {
		if s := <-made; s != nil {
			two = append(two, s)
		}
	}
	require.Len(t, two, 2)
	stops, stays := two[0], two[1]
	require.NotEqual(t, stops.URL(), stays.URL())
	address := hello(t)
	for _, s := range two {
		inside, err := s.Inside(t.Context(), address)
		require.NoError(t, err)
		require.Contains(t, execute(t, s, task(t, s, "get", "http://"+inside)), "got: hello from the host")
	}
	of := traceOf(t, stops.Dir(), whole)
	require.NotEmpty(t, of.left(t))
	require.NoError(t, stops.Stop())
	of.gone(t)
	require.NoError(t, stops.Stop())
	execute(t, stays, task(t, stays, "nothing"))
}

func TestWhatWasStoppedStartsAgainAndKnowsWhatItKnew(t *testing.T) {
	t.Parallel()
	s := own(t, concourse.Options{})
	require.NoError(t, s.Team(t.Context(), "otters", concourse.Login{User: "otter", Password: "fish"}, concourse.Login{}))
	of := traceOf(t, s.Dir(), whole)
	script := func(verb string) {
		out, err := exec.CommandContext(t.Context(), filepath.Join(s.Dir(), "bin", "ci.sh"), s.Dir(), verb).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	script("stop")
	of.gone(t, s.Dir())
	_, err := concourse.Open(s.Dir())
	require.ErrorContains(t, err, "does not run")
	script("start")
	again, err := concourse.Open(s.Dir())
	require.NoError(t, err)
	defer again.Close()
	status, _ := login(t, again, "otter", "fish").do("GET", "teams/otters/pipelines", "")
	require.Equal(t, 200, status)
}

func TestAConcourseGoesWithItsProcess(t *testing.T) {
	t.Parallel()
	concoursetest.Needs(t)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "types"), 0o755))
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), holderVariable+"="+dir)
	holder.Stderr = said{t}
	out, err := holder.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	t.Cleanup(func() { holder.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "serves\n", line)
	of := traceOf(t, filepath.Join(dir, "c"), whole)
	require.NotEmpty(t, of.left(t))

	require.NoError(t, holder.Process.Kill())
	holder.Wait()
	of.gone(t)
}

func TestOneThatIsKilledWhileItStartsLeavesNothing(t *testing.T) {
	t.Parallel()
	concoursetest.Needs(t)
	for _, moment := range []string{"settings", "run/pid", "keys/ready", "run/info", "run/worker"} {
		t.Run(filepath.Base(moment), func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.Mkdir(filepath.Join(dir, "types"), 0o755))
			holder := exec.Command(os.Args[0])
			holder.Env = append(os.Environ(), holderVariable+"="+dir)
			require.NoError(t, holder.Start())
			t.Cleanup(func() { holder.Process.Kill() })
			c := filepath.Join(dir, "c")
			require.Eventually(t, func() bool {
				_, err := os.Stat(filepath.Join(c, moment))
				return err == nil
			}, soon, time.Millisecond)
			of := traceOf(t, c, 0)
			require.NoError(t, holder.Process.Kill())
			holder.Wait()
			of.gone(t)
		})
	}
}

// The directory as people give it is seldom the whole path.
func TestDestroyEndsAStartHoweverItsDirectoryWasWritten(t *testing.T) {
	t.Parallel()
	concoursetest.Needs(t)
	kit := t.TempDir()
	for _, name := range []string{"ci.sh", "inside.sh", "rbac.yml"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(kit, name), text, 0o700))
	}
	program(t, kit+"/build/build.sh", "echo >"+kit+"/begun; exec sleep 600") // the start takes that long
	start := exec.CommandContext(t.Context(), "bash", "ci.sh", "data", "start")
	start.Dir = kit
	start.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	start.Env = append(os.Environ(), "BOGOPS_CONCOURSE_BIN=")
	require.NoError(t, start.Start())
	t.Cleanup(func() { _ = syscall.Kill(-start.Process.Pid, syscall.SIGKILL) })
	require.Eventually(t, func() bool { return read(kit+"/begun") != "" }, soon, 10*time.Millisecond)

	out, err := exec.CommandContext(t.Context(), "bash", kit+"/ci.sh", kit+"/data", "destroy").CombinedOutput()
	require.NoError(t, err, string(out))
	require.NoDirExists(t, kit+"/data")
	ended := make(chan error, 1)
	go func() { ended <- start.Wait() }()
	select {
	case err := <-ended:
		require.EqualError(t, err, "signal: killed")
	case <-time.After(soon):
		require.Fail(t, "the start goes on")
	}
}
