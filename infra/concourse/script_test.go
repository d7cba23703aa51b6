package concourse_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/infra/concourse"
	"bogops/infra/concourse/concoursetest"
)

func TestTheScriptSaysWhatWasGivenAndWhatIsWanted(t *testing.T) {
	concoursetest.Needs(t) // all tools are there, so that something else is missed
	empty, made := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(made, "settings"), []byte("id=00000000\nport=1\nbin=''\ntypes=''\nfast=''\nname=''\nacme=''\n"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(made, "run"), 0o700))
	program(t, empty+"/bin/init", "")
	good := []string{"BOGOPS_CONCOURSE_BIN=" + empty + "/bin", "BOGOPS_CONCOURSE_TYPES=" + empty}
	for _, c := range []struct {
		name        string
		environment []string
		args        []string
		want        string
	}{
		{"nothing", nil, nil, "got 0 arguments; wanted: ci.sh DIR {start|"},
		{"no such command", nil, []string{made, "begin"}, `got "begin"; wanted: ci.sh DIR {`},
		{"no such directory", nil, []string{empty + "/x", "stop"}, `x" is no directory; ci.sh DIR start makes it`},
		{"nothing made there", nil, []string{empty, "fly"}, " holds no Concourse: ci.sh DIR start makes one"},
		{"stopped", nil, []string{made, "lose"}, " does not run"},
		{"nobody's worker", nil, []string{made, "bring"}, " does not run"},
		{"user's name", nil, []string{made, "user", "Otter!"}, `user got "Otter!", wanted small letters, digits, dots, dashes`},
		{"no hash", nil, []string{made, "user", "otter"}, "the hash of otter is not one of bcrypt"},
		{"odd programs", []string{good[1], "BOGOPS_CONCOURSE_BIN=/dev/null/none"}, []string{empty + "/c1", "start"}, `BOGOPS_CONCOURSE_BIN is "/dev/null/none", wanted a directory`},
		{"no programs", []string{good[1], "BOGOPS_CONCOURSE_BIN=/etc"}, []string{empty + "/c2", "start"}, `BOGOPS_CONCOURSE_BIN is "/etc", wanted what build/build.sh prints`},
		{"odd types", []string{good[0], "BOGOPS_CONCOURSE_TYPES=/dev/null/none"}, []string{empty + "/c3", "start"}, `BOGOPS_CONCOURSE_TYPES is "/dev/null/none"`},
		{"a name alone", append(good, "BOGOPS_CONCOURSE_NAME=ci.test"), []string{empty + "/c4", "start"}, `BOGOPS_CONCOURSE_NAME is "ci.test", wanted BOGOPS_CONCOURSE_CERT and _KEY, or _ACME, too`},
		{"no key", append(good, "BOGOPS_CONCOURSE_NAME=ci.test", "BOGOPS_CONCOURSE_CERT="+made+"/settings"), []string{empty + "/c5", "start"}, "wanted BOGOPS_CONCOURSE_CERT and _KEY, or _ACME, too"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := run(t, c.environment, append([]string{"ci.sh"}, c.args...)...)
			require.Error(t, err)
			require.Contains(t, out, c.want)
		})
	}
}

func TestStartRefusesADirectoryThatHoldsSomething(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mine")
	require.NoError(t, os.WriteFile(file, []byte("precious"), 0o600))
	_, err := concourse.Start(t.Context(), concourse.Options{Dir: dir})
	require.ErrorContains(t, err, "holds something already, wanted a directory that is empty or not there")
	require.FileExists(t, file)
	_, err = concourse.Start(t.Context(), concourse.Options{})
	require.ErrorContains(t, err, "Options.Dir is empty")
}

func TestFindSaysWhatTheEnvironmentNames(t *testing.T) {
	_, err := concourse.Find(func(string) string { return "" })
	require.ErrorIs(t, err, concourse.ErrNone)
	_, err = concourse.Find(func(string) string { return "/dev/null/none" })
	require.ErrorContains(t, err, `BOGOPS_CONCOURSE is "/dev/null/none", wanted the directory of a Concourse that runs`)
}

func TestWithoutASourceTreeTheProgramsHaveToBeGiven(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := concourse.Start(t.Context(), concourse.Options{Dir: "c", Types: "."})
	require.ErrorContains(t, err, `Options.Bin is "" and Options.Types ".", wanted both`)
}

// What is an argument every user of the machine can read.
func TestTheAdministratorsPasswordIsNoArgument(t *testing.T) {
	t.Parallel()
	concoursetest.Needs(t)
	programs, err := exec.CommandContext(t.Context(), "build/build.sh").Output()
	require.NoError(t, err)
	at, dir := strings.TrimSpace(string(programs)), t.TempDir()
	for _, name := range []string{"fly", "curl", "concourse", "init"} {
		behind := filepath.Join(at, name)
		if name == "curl" {
			behind, err = exec.LookPath(name)
			require.NoError(t, err)
		}
		if name == "fly" || name == "curl" {
			program(t, dir+"/bin/"+name, `printf '%s\n' "$*" >>`+dir+"/arguments; exec "+behind+` "$@"`)
		} else {
			require.NoError(t, os.Symlink(behind, dir+"/bin/"+name))
		}
	}
	require.NoError(t, os.Mkdir(dir+"/types", 0o755))
	t.Cleanup(func() {
		out, err := exec.Command("bash", "ci.sh", dir+"/c", "destroy").CombinedOutput()
		require.NoError(t, err, string(out))
	})
	out, err := run(t, []string{"BOGOPS_CONCOURSE_BIN=" + dir + "/bin", "BOGOPS_CONCOURSE_TYPES=" + dir + "/types", "BOGOPS_CONCOURSE_FAST=1",
		"PATH=" + dir + "/bin:" + os.Getenv("PATH")}, "ci.sh", dir+"/c", "start")
	require.NoError(t, err, out)
	arguments := read(dir + "/arguments")
	require.Contains(t, arguments, "/api/v1/info") // they are seen
	require.Contains(t, arguments, "execute")
	require.NotEmpty(t, read(dir+"/c/keys/admin"))
	require.NotContains(t, arguments, read(dir+"/c/keys/admin"))
}
