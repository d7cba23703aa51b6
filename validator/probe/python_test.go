package probe_test

import (
	"bufio"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// startPython runs a platform of testdata until the test ends.
func startPython(t *testing.T, arguments ...string) target.Target {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("python3 is not installed: the platform in another language was left out")
	}
	require.NoError(t, err)
	script := filepath.Join("..", "testdata", arguments[0])
	dir := t.TempDir()
	if len(arguments) > 1 { // a fault: none has to do with the disk
		dir = inMemory(t)
	}
	command := exec.Command(python, slices.Concat([]string{"-B", script}, arguments[1:], []string{"--dir", dir})...)
	command.Env = append(os.Environ(), "BRONZE_TOKEN=judge-secret", "BRONZE_READER=reader-secret", "BRONZE_CONTEST=snakes")
	var complaints strings.Builder
	command.Stderr = &complaints
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Log(complaints.String())
		}
	})
	port, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	at, err := url.Parse("http://127.0.0.1:" + strings.TrimSpace(port))
	require.NoError(t, err)
	return target.Target{ID: "python", URL: at, Token: "judge-secret", ReaderToken: "reader-secret", Contest: "snakes"}
}

// inMemory is a directory where syncing costs nothing, as far as there is one
// with room for many platforms: that halves the time of the faulty ones.
func inMemory(t *testing.T) string {
	t.Helper()
	const shared, room = "/dev/shm", 1 << 30
	var stat syscall.Statfs_t
	if err := syscall.Statfs(shared, &stat); err != nil || stat.Bavail*uint64(stat.Bsize) < room {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(shared, "bogops-probe-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// runAPI runs the checks of the API up to level, a few at a time: most of them
// wait for the disk.
func runAPI(t *testing.T, platform target.Target, level string) []journal.Verdict {
	t.Helper()
	checks := probe.Select(probe.All(level), "api")
	verdicts := make([]journal.Verdict, len(checks))
	var group errgroup.Group
	group.SetLimit(4)
	for i, p := range checks {
		group.Go(func() error {
			verdicts[i] = probe.Run(t.Context(), p, platform, probe.Env{LargeBytes: 2<<20 + 1})
			return nil
		})
	}
	require.NoError(t, group.Wait())
	return verdicts
}

func TestAnHonestPlatformInAnotherLanguagePassesBronze(t *testing.T) {
	t.Parallel()
	for _, v := range runAPI(t, startPython(t, "bronze.py"), probe.Bronze) {
		require.Equal(t, verdict.OK, v.Status, "%s: %s: got %s, want %s", v.Check, v.Message, v.Got, v.Want)
		require.False(t, v.Retried, v.Check)
	}
}

func TestASingleFaultFailsExactlyTheCheckThatItBreaks(t *testing.T) {
	faults := map[string]string{
		"Boundary": "api/put-get", "Truncate": "api/large", "FourthWrite": "api/read-your-writes", "Always201": "api/put-answer",
		"ForgetContentType": "api/content-type", "StaleETag": "api/etag", "DecodeTwice": "api/keys", "DotSegments": "api/bad-keys",
		"HeadOfMissing": "api/missing", "HeadBody": "api/head", "DeleteTwice": "api/delete", "FirstChunk": "api/chunked",
		"Torn": "api/retry", "WrongHMAC": "api/process", "LeadingZeros": "api/bad-chains", "No401": "api/token",
		"ReaderWrites": "api/reader", "NoAllow": "api/routes", "NoLimit": "api/too-large", "ProblemText": "api/problems",
		"OneRequestID": "api/request-id", "NoConsent": "api/description", "NotReady": "api/health",
	}
	quick := []string{"DecodeTwice", "ProblemText", "WrongHMAC"}
	for _, fault := range slices.Sorted(maps.Keys(faults)) {
		t.Run(fault, func(t *testing.T) {
			if testing.Short() && !slices.Contains(quick, fault) {
				t.Skip("the long run has it")
			}
			t.Parallel()
			var failed []string
			for _, v := range runAPI(t, startPython(t, "faulty.py", fault), probe.Bronze) {
				if v.Status != verdict.OK {
					t.Logf("%s %s: %s: got %s, want %s", v.Check, v.Status, v.Message, v.Got, v.Want)
					failed = append(failed, v.Check)
				}
			}
			require.Equal(t, []string{faults[fault]}, failed)
		})
	}
}
