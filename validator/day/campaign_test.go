package day

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/ceph"
	"bogops/validator/chaos"
	"bogops/validator/contest"
	"bogops/validator/evidence"
	"bogops/validator/journal"
	"bogops/validator/redeploy"
	"bogops/validator/rogue"
)

// loadedDay is a day with one campaign of some seconds on an honest platform.
func loadedDay(t *testing.T, path string, seconds int) Config {
	t.Helper()
	server, err := rogue.Gallery()[0].Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(server.Close)
	length := time.Duration(seconds) * time.Second
	start := time.Now()
	c := &contest.Contest{
		ID: "rogues", Seed: "seed", Start: start, End: start, Timezone: time.UTC,
		Judge: contest.Judge{Tick: time.Hour, TimeScale: 1.0 / 12, GreenAfter: 3, RedAfter: 2},
		Campaigns: []contest.Campaign{{
			ID: "1", At: start, Duration: length, Ramp: []contest.Stage{{To: 20, For: length}},
			Mix: contest.Mix{Put: 40, Get: 30, GetProcess: 30}, Sizes: []contest.Size{{Bytes: 2048, Share: 1}},
			SLO:       map[string]contest.SLO{"put": {Target: time.Second, Max: 5 * time.Second}, "get": {Target: time.Second, Max: 5 * time.Second}},
			Faults:    []contest.Fault{{At: time.Second, Kind: "unknown-to-us", Weight: 1}},
			Redeploys: []contest.Redeploy{{At: 2 * time.Second, Job: "app-deploy", Weight: 1}},
		}},
	}
	j, err := journal.Create(path, journal.Opened{Contest: "rogues", Teams: []journal.Team{{ID: "loutres"}}}, time.Now)
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	team := Team{Team: contest.Team{ID: "loutres"}, Target: server.Target, Actions: map[string]chaos.Action{}}
	team.Target.Contest = c.ID
	team.Deploys = map[string]redeploy.Deploy{"app-deploy": redeploy.Directly(team.Target, func(context.Context, string) error { return errors.New("no pipeline") })}
	return Config{
		Contest: c, Journal: j, Teams: []Team{team}, Dir: filepath.Dir(path), Now: time.Now,
		Progress: func(line string) { t.Log(line) }, MaxLag: time.Second,
	}
}

func TestACampaignThatTheJudgeCrashedInIsGoneOnWith(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	cfg := loadedDay(t, path, 8)
	ctx, crash := context.WithCancel(t.Context())
	go func() {
		for e := range cfg.Journal.Subscribe(ctx, 0) {
			if e.Kind == journal.KindLoad {
				crash()
			}
		}
	}()
	require.ErrorIs(t, Run(ctx, cfg), context.Canceled)
	before := events[journal.Load](t, cfg.Journal, journal.KindLoad)
	require.NotEmpty(t, before)
	require.NoError(t, cfg.Journal.Close())

	var err error
	cfg.Journal, err = journal.Resume(path, time.Now)
	require.NoError(t, err)
	defer cfg.Journal.Close()
	require.NoError(t, Run(t.Context(), cfg))

	require.Len(t, events[journal.Campaign](t, cfg.Journal, journal.KindCampaign), 1, "it began once")
	last := -1
	for _, l := range events[journal.Load](t, cfg.Journal, journal.KindLoad) {
		require.Greater(t, l.Second, last, "no second is told twice")
		last = l.Second
		require.Equal(t, l.Offered, l.Good, "the crash costs the team nothing: %+v", l)
	}
	require.Equal(t, 7, last)
	audits := events[journal.Audit](t, cfg.Journal, journal.KindAudit)
	final := audits[len(audits)-1]
	require.True(t, final.Done)
	require.Equal(t, final.Acknowledged, final.OK, "%+v", final)
	require.Len(t, events[journal.Closed](t, cfg.Journal, journal.KindClosed), 1)
}

func TestWhatTheJudgeCannotDoCostsNobodyAndWhatFailsIsSaid(t *testing.T) {
	cfg := loadedDay(t, filepath.Join(t.TempDir(), "journal.jsonl"), 4)
	require.NoError(t, Run(t.Context(), cfg))
	faults := events[journal.Fault](t, cfg.Journal, journal.KindFault)
	require.Len(t, faults, 1)
	require.Equal(t, "unverified", faults[0].State)
	require.Contains(t, faults[0].Detail, `no way to do "unknown-to-us"`)
	redeploys := events[journal.Redeploy](t, cfg.Journal, journal.KindRedeploy)
	require.Equal(t, []string{"started", "failed"}, []string{redeploys[0].State, redeploys[1].State})
	require.Equal(t, "The roll-out failed: no pipeline", redeploys[1].Detail)
	ledgers := events[journal.Ledger](t, cfg.Journal, journal.KindLedger)
	require.FileExists(t, filepath.Join(cfg.Dir, ledgers[0].File))
	require.Positive(t, ledgers[0].Acknowledged)
}

// onCeph makes the day's platform one that stores in a fake cluster.
func onCeph(t *testing.T, cfg *Config, name string) {
	t.Helper()
	for _, r := range rogue.Gallery() {
		if r.Name == name {
			server, err := r.Start(t.Context())
			require.NoError(t, err)
			t.Cleanup(server.Close)
			cfg.Teams[0].Target = server.Target
			cfg.Teams[0].Target.Contest = cfg.Contest.ID
			cfg.Env.Ceph = map[string]*ceph.Cluster{"loutres": server.Ceph}
			cfg.Contest.Bricks = []contest.Brick{{ID: "ceph", InPlay: true}}
			return
		}
	}
	t.Fatal("no rogue is called " + name)
}

func TestACampaignIsReadBackInCephBeforeItsAuditIsDone(t *testing.T) {
	for name, share := range map[string]float64{"honest-on-ceph": 1, "on-s3": 0} {
		t.Run(name, func(t *testing.T) {
			cfg := loadedDay(t, filepath.Join(t.TempDir(), "journal.jsonl"), 4)
			onCeph(t, &cfg, name)
			var err error
			cfg.Env.Evidence, err = evidence.Open(t.TempDir())
			require.NoError(t, err)
			require.NoError(t, Run(t.Context(), cfg))
			told := events[journal.Readback](t, cfg.Journal, journal.KindReadback)
			require.Len(t, told, 1)
			require.Positive(t, told[0].Sampled)
			require.Zero(t, told[0].Void, told[0].Detail)
			require.Equal(t, share, float64(told[0].Proven)/float64(told[0].Sampled), told[0].Detail)
			kept, err := cfg.Env.Evidence.Get(told[0].Evidence)
			require.NoError(t, err)
			require.Contains(t, string(kept), `"status"`)
			var order []journal.Kind
			for _, e := range cfg.Journal.Entries() {
				if e.Kind == journal.KindReadback || e.Kind == journal.KindAudit {
					order = append(order, e.Kind)
				}
			}
			require.Equal(t, journal.KindAudit, order[len(order)-1])
		})
	}
}

func TestWhereCephIsOutOfPlayNothingIsReadInIt(t *testing.T) {
	cfg := loadedDay(t, filepath.Join(t.TempDir(), "journal.jsonl"), 4)
	onCeph(t, &cfg, "honest-on-ceph")
	cfg.Contest.Bricks[0].InPlay = false
	require.NoError(t, Run(t.Context(), cfg))
	require.Empty(t, events[journal.Readback](t, cfg.Journal, journal.KindReadback))
}
