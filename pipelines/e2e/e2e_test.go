package e2e

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/s3"
)

func TestMain(m *testing.M) { os.Exit(s3.Main(m)) }

// The parts go on from each other, as a day does: the platform serves all along,
// under a load that opens a fresh connection for each request.
func TestFromAPushToThePlatform(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes")
	}
	s := set(t)
	revision := s.source.push("everything")
	begun := time.Now()
	var end func() (int, []string)

	ok := t.Run("a push is tested, packaged, deployed and held against the judge's check", func(t *testing.T) {
		s := s.in(t)
		s.ci.next("bogops/jobs/app-test", 0, "succeeded")
		t.Logf("app-test was green after %s", time.Since(begun).Round(time.Second))
		s.ci.next("bogops/jobs/app-package", 0, "succeeded")
		t.Logf("app-package was green after %s", time.Since(begun).Round(time.Second))
		s.ci.next("bogops/jobs/app-deploy", 0, "succeeded")
		s.platform.runs(t, revision+"+first")
		t.Logf("from push to live: %s", time.Since(begun).Round(time.Second))
		s.ci.next("bogops/jobs/platform-smoke", 0, "succeeded")
		s.ci.next("bogops/jobs/infra-plan", 0, "succeeded")
	})
	if !ok {
		return
	}
	end = s.platform.load(t)

	t.Run("the judge's nonce goes live with the same package", func(t *testing.T) {
		s := s.in(t)
		s.freshNonce("second")
		b := s.ci.ends(s.ci.trigger("bogops/jobs/app-deploy").ID, "succeeded")
		s.platform.runs(t, revision+"+second")
		t.Logf("a redeployment took %d s", b.End-b.Start)
	})

	t.Run("the jobs that a person starts are green", func(t *testing.T) {
		s := s.in(t)
		s.ci.ends(s.ci.trigger("bogops/jobs/infra-apply").ID, "succeeded")
		var again build
		s.ci.call(http.MethodPost, s.ci.team+"bogops/jobs/app-deploy/builds/1", "{}", &again)
		require.Equal(t, "1.1", again.Name)
		s.ci.ends(again.ID, "succeeded")
		s.platform.runs(t, revision+"+first")
	})

	t.Run("a rollback puts back what ran before", func(t *testing.T) {
		s := s.in(t)
		b := s.ci.ends(s.ci.trigger("bogops/jobs/app-rollback").ID, "succeeded")
		s.platform.runs(t, revision+"+second")
		t.Logf("the rollback took %d s", b.End-b.Start)
	})

	t.Run("a paused pipeline leaves builds pending until it goes on", func(t *testing.T) {
		s := s.in(t)
		s.ci.must(http.MethodPut, s.ci.team+"bogops/pause")
		b := s.ci.trigger("bogops/jobs/infra-plan")
		var why map[string]any
		require.Eventually(t, func() bool {
			s.ci.call(http.MethodGet, "builds/"+strconv.Itoa(b.ID)+"/preparation", "", &why)
			return why["paused_pipeline"] == "blocking"
		}, time.Minute, 300*time.Millisecond)
		require.Equal(t, "pending", s.ci.build(b.ID).Status)
		s.ci.must(http.MethodPut, s.ci.team+"bogops/unpause")
		s.ci.ends(b.ID, "succeeded")
	})

	t.Run("an aborted deployment leaves the platform as it was", func(t *testing.T) {
		s := s.in(t)
		was := *s.fleet.Describe().Release
		s.freshNonce("third")
		b := s.ci.trigger("bogops/jobs/app-deploy")
		require.Eventually(t, func() bool { return s.fleet.Describe().Lease != nil }, patience, 50*time.Millisecond, "no roll-out begins")
		s.ci.must(http.MethodPut, "builds/"+strconv.Itoa(b.ID)+"/abort")
		require.Equal(t, "aborted", s.ci.await(b.ID, "aborted", build.ended).Status)
		s.awaitWhole(was.Version)
	})

	t.Run("a second commit rolls out by itself, and changes the pipelines too", func(t *testing.T) {
		s := s.in(t)
		after := s.ci.newest()
		s.source.edit("app/main.go", "// Command app is the reference platform:", "// Command app is the second reference platform:")
		s.source.edit("pipelines/bogops.yml", "&kept { builds: 100 }", "&kept { builds: 99 }")
		revision = s.source.push("another sentence")
		began := time.Now()
		s.ci.next("bogops/jobs/app-deploy", after, "succeeded")
		s.platform.runs(t, revision+"+third")
		t.Logf("from the second push to live: %s", time.Since(began).Round(time.Second))
		s.ci.next("reconfigure/jobs/reconfigure-pipelines", after, "succeeded")
		var set struct {
			Config struct{ Jobs []map[string]any }
		}
		s.ci.call(http.MethodGet, s.ci.team+"bogops/config", "", &set)
		require.Equal(t, map[string]any{"builds": 99.0}, set.Config.Jobs[0]["build_log_retention"])
		s.ci.next("bogops/jobs/platform-smoke", after, "succeeded")
	})

	t.Run("a test that fails stops the chain", func(t *testing.T) {
		s := s.in(t)
		after, packages := s.ci.newest(), len(s.ci.builds("bogops/jobs/app-package"))
		s.source.write("app/logbuf/wrong_test.go", "package logbuf\n\nimport \"testing\"\n\nfunc TestWrong(t *testing.T) { t.Fatal(\"it is wrong on purpose\") }\n")
		s.source.push("a test that fails")
		failed := s.ci.next("bogops/jobs/app-test", after, "failed")
		require.Contains(t, s.ci.log(failed.ID), "it is wrong on purpose")
		s.platform.runs(t, revision+"+third")
		require.Len(t, s.ci.builds("bogops/jobs/app-package"), packages, "what failed is packaged")
	})

	t.Run("a version that never gets ready fails with the reason, and is taken back", func(t *testing.T) {
		s := s.in(t)
		after := s.ci.newest()
		s.source.git("rm", "-q", "app/logbuf/wrong_test.go")
		s.source.edit("Makefile", "\nREADY_WITHIN ?= 2m\n", "\nREADY_WITHIN ?= 15s\n")
		s.source.edit("app/serve.go", neverReady[0], neverReady[1])
		s.source.push("never ready")
		failed := s.ci.next("bogops/jobs/app-deploy", after, "failed")
		require.Contains(t, s.ci.log(failed.ID), "never ready, on purpose")
		t.Logf("the log of the deployment that failed:\n%s", s.ci.log(failed.ID))
		s.awaitWhole(revision + "+third")
		for _, b := range s.ci.builds("bogops/jobs/platform-smoke") {
			require.Less(t, b.ID, failed.ID, "what was not deployed is not looked at")
		}
	})

	t.Run("app-rollback is green afterwards", func(t *testing.T) {
		s := s.in(t)
		previous := s.fleet.Describe().Previous
		b := s.ci.ends(s.ci.trigger("bogops/jobs/app-rollback").ID, "succeeded")
		t.Logf("the rollback took %d s", b.End-b.Start)
		s.platform.runs(t, previous.Version)
	})

	t.Run("a branch has an environment of its own while it is there", s.followBranches)

	asked, wrong := end()
	require.Empty(t, wrong, "of %d requests on fresh connections", asked)
	require.Greater(t, asked, 200)
	t.Logf("%d requests on fresh connections, none failed; all of it took %s", asked, time.Since(begun).Round(time.Second))
	s.noSecretInAnyLog(t)
}

// neverReady is an edit of app/serve.go.
var neverReady = [2]string{
	"func (s *server) waiting(ctx context.Context) (part, why string) {\n",
	"func (s *server) waiting(ctx context.Context) (part, why string) {\n\tif ctx != nil {\n\t\treturn \"never ready, on purpose\", \"of a test\"\n\t}\n",
}

// in is the stage for a part of the test.
func (s *stage) in(t *testing.T) *stage {
	part := *s
	part.t, part.ci.t, part.source.t, part.nonces.t = t, t, t, t
	return &part
}

// freshNonce does what the judge does before it starts app-deploy.
func (s *stage) freshNonce(nonce string) {
	s.t.Helper()
	s.nonces.set(nonce)
	s.ci.must(http.MethodPost, s.ci.team+"bogops/resources/nonce/check")
	ref := s.nonces.git("rev-parse", "HEAD")
	require.Eventually(s.t, func() bool {
		_, text := s.ci.raw(http.MethodGet, s.ci.team+"bogops/resources/nonce/versions?limit=20", "")
		return strings.Contains(text, ref)
	}, patience, 300*time.Millisecond, "the nonce is not seen")
}

// awaitWhole waits until the fleet runs one version again, and nothing else.
func (s *stage) awaitWhole(version string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		d := s.fleet.Describe()
		for _, i := range d.Instances {
			if i.Version != version || !i.Ready {
				return false
			}
		}
		return d.Lease == nil && len(d.Instances) == d.Size.Wanted
	}, 3*time.Minute, 300*time.Millisecond, "the fleet is not whole")
	s.platform.runs(s.t, version)
}

// noSecretInAnyLog reads everything that any build of the team ever said.
func (s *stage) noSecretInAnyLog(t *testing.T) {
	t.Helper()
	var all []build
	s.in(t).ci.call(http.MethodGet, strings.TrimSuffix(s.ci.team, "pipelines/")+"builds?limit=500", "", &all)
	require.Greater(t, len(all), 10)
	for _, b := range all {
		if !b.ended() {
			continue
		}
		events := s.ci.events(b.ID)
		for name, secret := range s.secrets {
			require.NotContains(t, events, secret, "%s is in the log of %s %s", name, b.Job, b.Name)
		}
	}
	for _, pipeline := range []string{"bogops", "reconfigure", "branches"} {
		_, config := s.ci.raw(http.MethodGet, s.ci.team+pipeline+"/config", "")
		for name, secret := range s.secrets {
			require.NotContains(t, config, secret, "%s is in the configuration of %s", name, pipeline)
		}
	}
}
