package contest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/contest"
)

// getenv is an environment in which all secrets of the test files exist.
func getenv(name string) string {
	return map[string]string{"SEED": "0123456789abcdef", "TOKEN": "a-token-of-the-judge", "SHORT": "0123"}[name]
}

// invalid files differ from testdata/valid.yml in what their name says. The
// messages begin with line and column; the file's name is before them.
var invalid = []struct {
	name     string
	mistakes []string
}{
	{"alias", []string{
		"7:9: contest.seed is an anchor, alias or tag, which contest files do without, want a single value",
	}},
	{"backwards", []string{
		"2:3: contest.freeze is 2026-12-04 08:00:00, want it between start and end",
		"6:8: contest.end is 2026-12-04 08:00:00, want it after the start, 2026-12-04 09:30:00",
		"14:9: campaigns[0].at makes the load last from 2026-12-04 14:00:00 to 2026-12-04 14:40:00, want that within the contest, 2026-12-04 09:30:00 to 2026-12-04 08:00:00",
	}},
	{"ceph-metrics", []string{
		"13:49: teams[0].ceph.metrics is no such URL, want http://HOST:PORT/PATH or https://HOST/PATH, without query or credentials",
	}},
	{"ceph-sentinel", []string{
		"13:50: teams[0].ceph.sentinel.command is missing: Program and arguments with the organiser's own key; it is called with POOL NAMESPACE NAME.",
	}},
	{"ceph-status", []string{
		"13:33: teams[0].ceph.command stands beside monitors: want one of the two ways to read",
		"13:50: teams[0].ceph.monitors stands without user and key, want all three: monitors answer nobody else",
		"13:63: teams[0].ceph.status stands beside monitors: want one of the two ways to ask them",
	}},
	{"ceph-mode", []string{
		"12:11: teams[0].ceph has mode rados and no monitors, which that mode needs",
	}},
	{"concourse-login", []string{
		"13:16: teams[0].concourse has no whole login, want user and password, or token",
	}},
	{"concourse-two-logins", []string{
		"13:120: teams[0].concourse.token stands beside user and password, want one of the two ways to log in",
	}},
	{"duplicate-key", []string{
		`3:3: not YAML: mapping key "id" already defined at [2:3]`,
	}},
	{"duplicate-team", []string{
		`13:9: teams[1].id is "loutres", which is that of teams[0]: want another`,
		`15:10: teams[1].url is "https://loutres.example.net", which is that of teams[0]: want another`,
	}},
	{"duration", []string{
		`15:15: campaigns[0].duration is "forty minutes", want a duration such as 60s or 40m, from 10s to 12h`,
	}},
	{"empty", []string{
		"1:1: the file holds 0 documents, want one that begins with contest:",
	}},
	{"fault-kind", []string{
		`20:30: campaigns[0].faults[0].kind is "stop-ods", want one of kill-instance, terminate-instance, stop-instance, reboot-instance, take-capacity, cut-zone, swap-security-group, freeze-disk, stop-osd, kill-osd, freeze-osd, stop-monitor, kill-monitor, freeze-monitor, pause-pipeline, lose-worker, bad-deploy`,
	}},
	{"http-url", []string{
		`11:10: teams[0].url is "http://loutres.example.net", want https://HOST or https://HOST:PORT, without path, query or credentials`,
	}},
	{"judge-path", []string{
		"8:14: judge.url is no such URL, want https://HOST or, in a rehearsal, http://HOST:PORT, without path, query or credentials",
	}},
	{"judge-url", []string{
		"8:14: judge.url is plain http, which is for rehearsals only: who listens would know each nonce before it is live",
	}},
	{"redeploy-job", []string{
		`21:32: campaigns[0].redeploys[0].job is "app-rollback", want one of app-deploy`,
	}},
	{"list", []string{
		"14:5: campaigns is a mapping, want a list",
	}},
	{"literal-secret", []string{
		"12:12: teams[0].token is a value, want env:NAME or file:PATH: secrets do not stand in a contest file",
	}},
	{"missing-environment", []string{
		"12:12: teams[0].token is env:NOBODY_SET_THIS, but the environment has no NOBODY_SET_THIS: set it",
	}},
	{"missing-keys", []string{
		"2:3: contest.title is missing: What stands on the wall.",
		"8:5: teams[0].token is missing: Bearer token with the role judge: env:NAME or file:PATH.",
	}},
	{"missing-secret-file", []string{
		"12:12: teams[0].token is file:nothing/here.token, which cannot be read (no such file or directory): make that file",
	}},
	{"no-brick", []string{
		"13:9: bricks has no brick in play, want at least one",
	}},
	{"no-get", []string{
		"17:10: campaigns[0].mix is put 1, get 0, get_process 0, want a share of PUT and a share of GET above 0",
	}},
	{"no-put", []string{
		"17:10: campaigns[0].mix is put 0, get 1, get_process 0, want a share of PUT and a share of GET above 0",
	}},
	{"outside", []string{
		"14:9: campaigns[0].at makes the load last from 2026-12-04 17:40:00 to 2026-12-04 18:20:00, want that within the contest, 2026-12-04 09:30:00 to 2026-12-04 18:00:00",
	}},
	{"overlapping-windows", []string{
		"14:5: campaigns[0] has windows that overlap: Redeployment from 12m to 17m begins before OSD stopped ends, at 13m",
	}},
	{"ramp", []string{
		"16:11: campaigns[0].ramp lasts 35m, want as long as the campaign, 40m",
		"16:40: campaigns[0].ramp[1].hold is 300, want the rate that is reached by then, 400",
	}},
	{"resolve", []string{
		"12:14: teams[0].resolve is for rehearsals only: give trust.rehearsal_root, or leave it to DNS",
	}},
	{"short-seed", []string{
		"7:9: contest.seed has 4 bytes, want at least 16 that nobody can guess",
	}},
	{"size", []string{
		`18:13: campaigns[0].sizes: a size is "4 kilos", want one such as 4KiB, at most 256MiB`,
	}},
	{"slo", []string{
		"19:25: campaigns[0].slo.put.target is 5s, want less than max, 5s",
	}},
	{"syntax", []string{
		"17:5: not YAML: ',' or ']' must be specified",
	}},
	{"time", []string{
		`5:10: contest.start is "9h30", want a time such as 2026-12-04T09:30:00`,
	}},
	{"timezone", []string{
		`4:13: contest.timezone is "Europe/Pris", want a time zone such as Europe/Paris or UTC`,
	}},
	{"too-many-windows", []string{
		"14:5: campaigns[0] has windows of 23m in 40m: want at least half of a campaign outside windows",
	}},
	{"unknown-far-key", []string{
		`11:5: unknown key "certificate" in teams[0]; known here: id, name, short, colour, shape, mascot, witness, url, token, reader_token, resolve, http_port, ceph, concourse, aws`,
	}},
	{"unknown-key", []string{
		"14:5: campaigns[0].duration is missing: How long the load lasts.",
		`15:5: unknown key "durration" in campaigns[0]; did you mean "duration"?`,
	}},
	{"unknown-top-key", []string{
		`13:1: unknown key "campagnes"; did you mean "campaigns"?`,
	}},
	{"url-with-password", []string{
		"11:10: teams[0].url is no such URL, want https://HOST or https://HOST:PORT, without path, query or credentials",
	}},
	{"weight", []string{
		`20:48: campaigns[0].faults[0].weight is "11", want a number from 0 to 10`,
	}},
	{"window-past-the-end", []string{
		"14:5: campaigns[0] has a window (Redeployment from 36m to 41m) that runs past its end, 40m: want it earlier",
	}},
	{"witness-alone", []string{
		"9:3: teams has no team beside the witness, want at least one",
	}},
}

func TestEachInvalidFileGivesItsExactMistakes(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range invalid {
		t.Run(c.name, func(t *testing.T) {
			path := "testdata/invalid-" + c.name + ".yml"
			tested[path] = true
			_, err := contest.Load(path, getenv)
			var mistakes contest.Mistakes
			require.ErrorAs(t, err, &mistakes)
			require.Equal(t, path+":"+strings.Join(c.mistakes, "\n"+path+":"), err.Error())
			require.NotContains(t, err.Error(), "hunter2", "no secret is repeated")
		})
	}
	files, err := filepath.Glob("testdata/invalid-*.yml")
	require.NoError(t, err)
	require.Len(t, tested, len(files), "every file has its row")
}

func TestASmallFileIsReadWithItsDefaults(t *testing.T) {
	c, err := contest.Load("testdata/valid.yml", getenv)
	require.NoError(t, err)
	paris, err := time.LoadLocation("Europe/Paris")
	require.NoError(t, err)
	require.Equal(t, "0123456789abcdef", string(c.Seed))
	require.True(t, c.Start.Equal(time.Date(2026, 12, 4, 9, 30, 0, 0, paris)))
	require.Equal(t, c.End, c.Freeze)
	require.Equal(t, time.Minute, c.Judge.Tick)
	require.EqualValues(t, 64<<10, c.Judge.KeepBodies)
	require.Equal(t, "mozilla", c.Trust.Roots)
	require.Len(t, c.Bricks, 5)
	team := c.Teams[0]
	require.Equal(t, "Loutres The Cuddling Sea Otter Pups blue circle otter", strings.Join([]string{team.Name, team.Full, team.Colour, team.Shape, team.Mascot}, " "))
	campaign := c.Campaigns[0]
	require.Equal(t, []contest.Size{{Bytes: 4096, Share: 1}}, campaign.Sizes)
	require.Equal(t, []contest.Stage{{To: 400, For: 40 * time.Minute}}, campaign.Ramp)
	require.Equal(t, contest.SLO{Target: time.Second, Max: 5 * time.Second}, campaign.SLO["put"])
	require.Equal(t, []contest.Redeploy{{At: 20 * time.Minute, Job: "app-deploy", Weight: 1}}, campaign.Redeploys)
}

func TestAFileThatCannotBeReadIsOneSentence(t *testing.T) {
	_, err := contest.Load("testdata/none.yml", getenv)
	require.EqualError(t, err, "contest file testdata/none.yml does not exist; `validator init testdata/none.yml` writes an example")
	_, err = contest.Load("testdata", getenv)
	require.EqualError(t, err, "contest file testdata cannot be read (is a directory): give a file that can")
}

func TestPathsAreTakenFromTheFilesOwnDirectory(t *testing.T) {
	dir := t.TempDir()
	text, err := os.ReadFile("testdata/valid.yml")
	require.NoError(t, err)
	changed := strings.Replace(string(text), "env:TOKEN", "file:secrets/token", 1) + "trust: {rehearsal_root: root.pem}\n"
	for name, content := range map[string]string{"contest.yml": changed, "secrets/token": "  from-a-file\n", "root.pem": "a root"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	c, err := contest.Load(filepath.Join(dir, "contest.yml"), getenv)
	require.NoError(t, err)
	require.Equal(t, contest.Secret("from-a-file"), c.Teams[0].Token)
	require.Equal(t, filepath.Join(dir, "root.pem"), c.Trust.RehearsalRoot)
}
