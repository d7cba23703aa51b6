package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestADeploymentUnderLoadRefusesNobody(t *testing.T) {
	s := open(t)
	code, printed := s.command("rollback")
	require.Equal(t, exitFailed, code)
	require.Contains(t, printed, "no previous release")

	printed = s.deploy(t, pack(t, "r1", honest))
	require.Contains(t, printed, "r1 is the release; the one before was nothing")
	require.NotContains(t, printed, fleetToken)

	second := pack(t, "r2", honest)
	crowd := s.gather()
	printed = s.deploy(t, second, "--nonce", "abc")
	require.Contains(t, printed, "r2+abc is the release; the one before was r1")
	crowd.dismiss(t, "r1", "r2+abc")
	require.NotZero(t, crowd.versions["r1"])
	require.NotZero(t, crowd.versions["r2+abc"])
	require.Equal(t, []string{"r2+abc", "r2+abc"}, s.versions())

	crowd = s.gather()
	began := time.Now()
	code, printed = s.command("rollback", "--every", "200ms")
	require.Equal(t, exitDone, code, printed)
	require.Contains(t, printed, "r1 is the release; the one before was r2+abc")
	t.Logf("rolled back in %s", time.Since(began))
	crowd.dismiss(t, "r1", "r2+abc")
	require.Equal(t, []string{"r1", "r1"}, s.versions())

	code, printed = s.command("status")
	require.Equal(t, exitDone, code)
	require.Contains(t, printed, "release   r1 (package bogops-app-r1-")
	require.NotContains(t, printed, fleetToken)
}

// versions are those of what lives and is ready.
func (s *site) versions() (all []string) {
	for _, i := range s.group.Describe().Instances {
		if i.Ready {
			all = append(all, i.Version)
		}
	}
	return all
}

func TestAPackageThatNeverGetsReadyLeavesThePlatformServing(t *testing.T) {
	s := open(t)
	s.deploy(t, pack(t, "r1", honest))
	before := s.group.Describe()
	for name, c := range map[string]struct{ start, within, says string }{
		"a start script that sleeps":    {"sleep 1000", "5s", "it does not listen yet"},
		"a start script that ends":      {"echo no settings were found; exit 3", "30s", "ended: exit status 3\n  its log:\n    no settings were found"},
		"a store that cannot be opened": {honest + " --store file:/proc/nowhere", "30s", "/proc/nowhere"},
		"a store that does not answer": {
			"export AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b\n" + honest + " --store s3:bucket --s3-endpoint http://127.0.0.1:1 --s3-path-style",
			"30s", "127.0.0.1:1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			crowd := s.gather()
			code, printed := s.command("deploy", "--package", pack(t, "r2", c.start), "--ready-within", c.within, "--every", "200ms")
			require.Equal(t, exitFailed, code, printed)
			require.Contains(t, printed, c.says)
			require.Contains(t, printed, "back at r1")
			crowd.dismiss(t, "r1")
			after := s.group.Describe()
			require.Equal(t, before.Release, after.Release)
			require.Equal(t, before.Previous, after.Previous)
			require.Nil(t, after.Lease)
			require.Equal(t, []string{"r1", "r1"}, s.versions())
			require.Equal(t, before.Instances[0].ID, after.Instances[0].ID, "nobody was replaced")
		})
	}
}

func TestADeploymentThatIsKilledIsForgotten(t *testing.T) {
	s := open(t)
	s.deploy(t, pack(t, "r1", honest))
	program, err := os.Executable()
	require.NoError(t, err)
	crowd := s.gather()
	var said diary
	job := exec.Command(program, "deploy", "--fleet", s.control, "--package", pack(t, "r2", honest), "--lease", "15s", "--every", "200ms")
	job.Env = append(os.Environ(), asCommand+"=yes", "FLEET_TOKEN="+fleetToken)
	job.Stdout, job.Stderr = &said, &said
	require.NoError(t, job.Start())
	t.Cleanup(func() { _ = job.Process.Kill() })
	// Killed when one of two is of the new version.
	require.Eventually(t, func() bool {
		versions := map[string]int{}
		for _, version := range s.versions() {
			versions[version]++
		}
		return versions["r2"] == 1 && versions["r1"] == 1
	}, time.Minute, 20*time.Millisecond, "%s", &said)
	require.NoError(t, job.Process.Kill())
	_ = job.Wait()
	require.Eventually(t, func() bool {
		d := s.group.Describe()
		versions := s.versions()
		return d.Lease == nil && len(d.Instances) == 2 && len(versions) == 2 && versions[0] == "r1" && versions[1] == "r1"
	}, 2*time.Minute, 50*time.Millisecond)
	require.Equal(t, "r1", s.group.Describe().Release.Version)
	crowd.dismiss(t, "r1", "r2")
}

func TestTheCommandLineSaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	s := &site{control: "http://127.0.0.1:1"}
	for says, args := range map[string][]string{
		"missing flags: --package":       {"deploy"},
		"not a gzip stream":              {"deploy", "--package", file("bad.tar.gz", "hello")},
		"--looks 0":                      {"rollback", "--looks", "0"},
		"size: 0 given; want at least 1": {"plan", "--group", file("empty.yml", "{}")},
		"sise":                           {"plan", "--group", file("typo.yml", "sise: 2")},
		"unexpected argument":            {"destroy"},
		"can't be used together":         {"deploy", "--package", file("p", ""), "--version", "a", "--nonce", "b"},
		"no such file or directory":      {"apply", "--group", filepath.Join(dir, "nowhere")},
	} {
		code, printed := s.command(args...)
		require.Equal(t, exitUsage, code, printed)
		require.Contains(t, printed, says)
	}
	var out diary
	code := run(t.Context(), []string{"status", "--fleet", "http://127.0.0.1:1"}, func(string) string { return "" }, &out, &out)
	require.Equal(t, exitUsage, code)
	require.Contains(t, out.String(), "FLEET_TOKEN is not set")
}

func TestAVersionIsOfThePackageThatIsDeployed(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a real server")
	}
	t.Parallel()
	s := &site{control: "http://127.0.0.1:1"}
	code, printed := s.command("deploy", "--package", pack(t, "r1", honest), "--version", "r2+nonce")
	require.Equal(t, exitUsage, code)
	require.Contains(t, printed, "--version r2+nonce given; want r1, the revision in the package, and perhaps + and a nonce")
	code, printed = s.command("deploy", "--package", pack(t, "r1", honest), "--nonce", "two words")
	require.Equal(t, exitUsage, code)
	require.Contains(t, printed, "visible ASCII")
}

func TestThePlanIsWhatApplyDoes(t *testing.T) {
	s := open(t)
	s.deploy(t, pack(t, "r1", honest))
	group := func(size string) string {
		path := filepath.Join(t.TempDir(), "group.yml")
		require.NoError(t, os.WriteFile(path, []byte("size: "+size+"\n"), 0o600))
		return path
	}
	code, printed := s.command("plan", "--group", group("2"))
	require.Equal(t, exitDone, code)
	require.Equal(t, "no difference\n", printed)
	code, printed = s.command("plan", "--group", group("3"))
	require.Equal(t, exitDone, code)
	require.Equal(t, "size: 2 -> 3\n", printed)
	require.Len(t, s.versions(), 2, "a plan changes nothing")
	code, printed = s.command("apply", "--group", group("3"))
	require.Equal(t, exitDone, code, printed)
	require.Equal(t, "size: 2 -> 3\n3 instances, as wanted\n", printed)
	require.Len(t, s.versions(), 3)
	code, printed = s.command("plan", "--group", group("99"))
	require.Equal(t, exitUsage, code)
	require.Contains(t, printed, "size: 99 given; want 1 to 8 for this fleet")
	code, printed = s.command("apply", "--group", group("4"), "--within", "1ms")
	require.Equal(t, exitFailed, code)
	require.Contains(t, printed, "setting the size back to 3")
	require.Equal(t, 3, s.group.Describe().Size.Wanted)
}
