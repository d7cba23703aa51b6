package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/contest"
)

// validator runs the command line in this process.
func validator(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, func(name string) string { return env[name] }, &out, &errs)
	return code, out.String(), errs.String()
}

func TestABadCommandLineSaysWhatIsWantedAndExits64(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	broken := filepath.Join(t.TempDir(), "broken.yml")
	require.NoError(t, os.WriteFile(broken, []byte("contest: {identifier: x}\n"), 0o600))
	probing := []string{"probe", "--url", "https://example.net", "--token", "t"}
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, []byte("\n"), 0o600))
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"token file that is empty", []string{"probe", "--url", "https://example.net", "--token", "file:" + empty}, "empty is empty, want the token in it"},
		{"no token at all", []string{"probe", "--url", "https://example.net", "--token", ""}, "--token is empty"},
		{"no verb", nil, "expected one of"},
		{"unknown verb", []string{"judge"}, "unexpected argument judge"},
		{"unknown flag", []string{"replay", "--tail", "x"}, "unknown flag --tail"},
		{"probe without URL", []string{"probe", "--token", "t"}, "missing flags: --url"},
		{"URL without scheme", []string{"probe", "--url", "example.net", "--token", "t"}, `--url "example.net": want https://NAME`},
		{"URL with a path", []string{"probe", "--url", "https://example.net/v1", "--token", "t"}, "without a path"},
		{"URL with a port that is none", []string{"probe", "--url", "http://127.0.0.1:99999", "--token", "t"}, `--url "http://127.0.0.1:99999": want`},
		{"token that no header can carry", []string{"probe", "--url", "https://example.net", "--token", "one\ntwo"}, "--token: want one line"},
		{"token file that is missing", []string{"probe", "--url", "https://example.net", "--token", "file:" + missing}, "--token: open " + missing},
		{"token not in the environment", []string{"probe", "--url", "https://example.net", "--token", "env:NOWHERE"}, "--token: the environment has no NOWHERE"},
		{"roots that are none", append(probing, "--ca", broken), "want certificates in PEM"},
		{"a control without port", append(probing, "--control", "example.net"), `--control "example.net": want HOST:PORT`},
		{"a control without host", append(probing, "--control", ":443"), "want HOST:PORT"},
		{"a place that is no address", append(probing, "--resolve", "example.net=127.0.0.1"), "--resolve example.net=127.0.0.1: want NAME=ADDRESS:PORT"},
		{"a port that is none", append(probing, "--http-port", "99999"), "--http-port 99999: want a port"},
		{"a large object of nothing", append(probing, "--large-bytes", "0"), "--large-bytes 0: want at least 1"},
		{"a brick without checks", append(probing, "--brick", "aws"), "--brick aws: this judge has checks for ceph, api, tls and concourse"},
		{"a key on the command line", append(probing, "--ceph-monitors", "a", "--ceph-key", "AQDn"), "--ceph-key: want env:NAME or file:PATH"},
		{"monitors without a key", append(probing, "--ceph-monitors", "a"), "--ceph-monitors stands without --ceph-key"},
		{"a gateway without keys", append(probing, "--ceph-endpoint", "https://a"), "--ceph-endpoint wants --ceph-bucket"},
		{"two ways to read", append(probing, "--ceph-monitors", "a", "--ceph-key", "file:"+broken, "--ceph-command", "cat"), "--ceph-command stands beside --ceph-monitors"},
		{"a sentinel without a way in", append(probing, "--ceph-sentinel", "remove"), "stands without a way into it"},
		{"a password on the command line", append(probing, "--concourse-url", "https://ci", "--concourse-team", "a", "--concourse-user", "b", "--concourse-password", "c"), "--concourse-password: want env:NAME or file:PATH"},
		{"a Concourse without a login", append(probing, "--concourse-url", "https://ci"), "--concourse-url wants --concourse-team"},
		{"a login without Concourse", append(probing, "--concourse-user", "judge"), "stands without --concourse-url"},
		{"a Concourse with a path", append(probing, "--concourse-url", "https://ci/teams/a"), "without a path"},
		{"a team of no file", []string{"probe", "--team", "loutres"}, "want --file and --team together"},
		{"a team and a URL", append(probing, "--file", broken, "--team", "loutres"), "and not both"},
		{"a team of a file that is none", []string{"probe", "--file", missing, "--team", "loutres"}, missing},
		{"a level without checks", append(probing, "--level", "gold"), "--level gold: this judge has checks for bronze, silver"},
		{"contest file that is missing", []string{"validate", missing}, missing},
		{"contest file with an unknown key", []string{"validate", broken}, "identifier"},
		{"rehearsal without the app", []string{"rehearse", "--app", missing, "--out", filepath.Join(t.TempDir(), "out")}, "want the reference server's binary"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := validator(t, nil, c.args...)
			require.Equal(t, exitUsage, code, stderr)
			require.Contains(t, stderr, c.says)
		})
	}
}

func TestAPortInUseIsOneSentenceAndLeavesNothingBehind(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	t.Chdir(t.TempDir())
	code, _, stderr := validator(t, nil, "init", "contest.yml")
	require.Equal(t, exitPass, code, stderr)
	env := exampleSecrets(t)
	code, _, stderr = validator(t, env, "serve", "contest.yml", "--listen", taken.Addr().String(), "--dir", "kept")
	require.Equal(t, exitUsage, code, stderr)
	require.Contains(t, stderr, "address already in use")
	require.NoDirExists(t, "kept")
}

func TestAClosedPortIsDownAndExits1(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	code, stdout, _ := validator(t, nil, "probe", "--brick", "api", "--url", "http://"+closed.Addr().String(), "--token", "t")
	require.Equal(t, exitTeamFails, code)
	require.Contains(t, stdout, "DOWN")
	require.Contains(t, stdout, "refuse")
}

func TestAServerThatSaysYesToEverythingFailsWithASentencePerPromise(t *testing.T) {
	yes := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer yes.Close()
	junit := filepath.Join(t.TempDir(), "junit.xml")
	code, stdout, _ := validator(t, map[string]string{"T": "s3cret-token"}, "probe", "--brick", "api", "--url", yes.URL, "--token", "env:T", "--junit", junit)
	require.Equal(t, exitTeamFails, code)
	require.Contains(t, stdout, "want")
	require.NotContains(t, stdout, "s3cret-token")
	xml, err := os.ReadFile(junit)
	require.NoError(t, err)
	require.Contains(t, string(xml), "<failure")
	require.NotContains(t, string(xml), "s3cret-token")
}

func TestInitDoesNotOverwrite(t *testing.T) {
	t.Chdir(t.TempDir())
	code, _, stderr := validator(t, nil, "init")
	require.Equal(t, exitPass, code, stderr)
	before, err := os.ReadFile("contest.yml")
	require.NoError(t, err)
	code, _, stderr = validator(t, nil, "init")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "is there already")
	after, err := os.ReadFile("contest.yml")
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestTheExampleIsValidOnceItsSecretsExist(t *testing.T) {
	t.Chdir(t.TempDir())
	code, _, stderr := validator(t, nil, "init")
	require.Equal(t, exitPass, code, stderr)
	env := exampleSecrets(t)
	code, stdout, stderr := validator(t, env, "validate", "contest.yml")
	require.Equal(t, exitPass, code, stderr)
	require.Contains(t, stdout, "valid")
	code, stdout, stderr = validator(t, env, "validate", "contest.yml", "--json")
	require.Equal(t, exitPass, code, stderr)
	require.NotContains(t, stdout, "0123456789abcdef", "no secret is printed")
}

func TestValidateSaysWhatOfTheContestNobodyChecks(t *testing.T) {
	t.Chdir(t.TempDir())
	env := exampleSecrets(t)
	for _, level := range []string{"bronze", "silver", "gold"} {
		file := strings.Replace(string(contest.Example()), "level: silver", "level: "+level, 1)
		require.NoError(t, os.WriteFile("contest.yml", []byte(file), 0o600))
		code, stdout, stderr := validator(t, env, "validate", "contest.yml")
		require.Equal(t, exitPass, code, stderr)
		require.Contains(t, stdout, "in play and not checked by this judge, so without points: ")
		require.NotContains(t, stdout, "ceph")
		require.NotContains(t, stdout, "concourse")
		require.Contains(t, stdout, "aws")
		require.Equal(t, level == "gold", strings.Contains(stdout, "api at gold"), stdout)
	}
}

func TestATeamOfTheContestFileIsCheckedByItsOwnSection(t *testing.T) {
	t.Chdir(t.TempDir())
	env := exampleSecrets(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	file := strings.Replace(string(contest.Example()), "https://ci.loutres.example.net", "https://"+closed.Addr().String(), 1)
	require.NoError(t, os.WriteFile("contest.yml", []byte(file), 0o600))
	code, _, stderr := validator(t, env, "probe", "--file", "contest.yml", "--team", "otters")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "contest.yml has loutres, pandas")
	code, stdout, _ := validator(t, env, "probe", "--file", "contest.yml", "--team", "loutres", "--brick", "concourse")
	require.Equal(t, exitTeamFails, code, stdout)
	require.Contains(t, stdout, "Concourse refuses the connection")
	require.NotContains(t, stdout, "0123456789abcdef", "no secret is printed")
}

// exampleSecrets makes every secret that the example contest names: an
// environment and the files, below the current directory.
func exampleSecrets(t *testing.T) map[string]string {
	t.Helper()
	env := map[string]string{}
	example := string(contest.Example())
	for _, found := range regexp.MustCompile(`env:([A-Z0-9_]+)`).FindAllStringSubmatch(example, -1) {
		env[found[1]] = "0123456789abcdef-" + found[1]
	}
	for _, found := range regexp.MustCompile(`file:([\w./-]+)`).FindAllStringSubmatch(example, -1) {
		require.NoError(t, os.MkdirAll(filepath.Dir(found[1]), 0o700))
		require.NoError(t, os.WriteFile(found[1], []byte("0123456789abcdef"), 0o600))
	}
	return env
}
