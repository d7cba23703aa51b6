package board

import (
	"bytes"
	"html"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
)

// viewed is the view of a demo's journal.
func viewed(t *testing.T, d *demo) *View {
	t.Helper()
	v := NewView(newScorer())
	for _, e := range d.Entries() {
		require.NoError(t, v.Add(e))
	}
	return v
}

func TestARedeploymentIsDrawnOnTheAxisOfTheLoad(t *testing.T) {
	d := newDemo(t)
	d.afternoon(1040)
	v, s := viewed(t, d), newSpeech("en", "UTC")
	c := v.latest()
	ch := s.chart(v, c)
	require.NotNil(t, ch.Pipeline)
	require.Len(t, ch.Pipeline.Rows, 2)
	for i, row := range ch.Pipeline.Rows {
		require.Len(t, row.Ways, 1)
		w, at := row.Ways[0], func(second int) float64 { return 100 * float64(second+1) / demoSpan }
		started, finished, live := redoAt+8+12*i, redoAt+72+60*i, redoAt+80+60*i
		require.InDelta(t, at(started), w.Build.Left, 1e-6)
		require.InDelta(t, at(finished)-at(started), w.Build.Width, 1e-6)
		require.Equal(t, "#7", w.Build.Text)
		require.InDeltaSlice(t, []float64{at(started), at(redoAt + 24 + 12*i)}, w.Tasks, 1e-6, "where each task began")
		require.Len(t, w.Waits, 2, "before the build, and from its end to live")
		require.InDelta(t, at(redoAt), w.Waits[0].Left, 1e-6)
		require.InDelta(t, at(started)-at(redoAt), w.Waits[0].Width, 1e-6)
		require.Equal(t, "ok", w.End.Class)
		require.InDelta(t, at(live), w.End.At, 1e-6)
	}
	require.Equal(t, []string{"1:20", "2:20"}, []string{ch.Pipeline.Rows[0].Took, ch.Pipeline.Rows[1].Took})
	require.Contains(t, ch.Pipeline.Label, "Pandas, +0:00 nonce committed, +0:04 seen by Concourse, +0:04 build 7 triggered, +0:20 build starts, +0:20 fetch-package, +0:36 roll-out, +2:12 build succeeded, +2:20 live on 50/50 connections")
}

func TestABuildThatStillRunsReachesToNow(t *testing.T) {
	d := newDemo(t)
	d.afternoon(redoAt + 40)
	v, s := viewed(t, d), newSpeech("en", "UTC")
	w := s.chart(v, v.latest()).Pipeline.Rows[0].Ways[0]
	require.Nil(t, w.End)
	require.InDelta(t, 100*float64(redoAt+40)/demoSpan, w.Build.Left+w.Build.Width, 1e-6)
	require.Len(t, w.Waits, 1)
}

func TestBeforeARedeploymentThereIsNoPipelineToSee(t *testing.T) {
	d := newDemo(t)
	d.afternoon(redoAt - 10)
	v, s := viewed(t, d), newSpeech("en", "UTC")
	require.Nil(t, s.chart(v, v.latest()).Pipeline)
}

func TestAJournalWithoutStepsIsDrawnFromItsEndsAlone(t *testing.T) {
	d := newDemo(t)
	c := d.afternoon(redoAt - 10)
	for n, state := range []string{"started", "live"} {
		d.set(c.At.Add(time.Duration(redoAt+60*n) * time.Second))
		d.add(journal.KindRedeploy, journal.Redeploy{ID: "r1", Campaign: c.ID, Team: "loutres", Job: "app-deploy", State: state, At: d.now(), Version: "v2", Took: journal.Seconds(60 * n)})
	}
	v, s := viewed(t, d), newSpeech("en", "UTC")
	w := s.chart(v, v.latest()).Pipeline.Rows[0].Ways[0]
	require.Nil(t, w.Build)
	require.Len(t, w.Waits, 1)
	require.Equal(t, "ok", w.End.Class)
}

func TestARedeploymentThatTheJudgeDidNotSeeThroughIsNotCounted(t *testing.T) {
	for state, want := range map[string][2]string{"refused": {"jud", "not counted"}, "failed": {"mum", "failed"}} {
		d := newDemo(t)
		c := d.afternoon(redoAt + 20)
		d.add(journal.KindRedeploy, journal.Redeploy{ID: "r1", Campaign: c.ID, Team: "loutres", Job: "app-deploy", State: state, At: d.now(), Detail: "the reason"})
		v, s := viewed(t, d), newSpeech("en", "UTC")
		ch := s.chart(v, v.latest())
		require.Equal(t, want[0], ch.Pipeline.Rows[0].Ways[0].End.Class)
		require.Contains(t, ch.Lanes[0].Label, "Redeploy: "+want[1])
		require.NotContains(t, ch.Lanes[0].Label, "not survived")
		var report bytes.Buffer
		require.NoError(t, WriteReport(&report, d.Entries()))
		require.True(t, strings.Contains(report.String(), "(the reason)"))
	}
}

func TestTheReportTellsEveryStepInBothLanguages(t *testing.T) {
	for lang, sentences := range map[string][]string{
		"en": {"<time>+0:04</time> build 7 triggered", "<time>+0:08</time> fetch-package", "<time>+1:20</time> live on 50/50 connections"},
		"fr": {"<time>+0:04</time> build 7 lancé", "<time>+0:08</time> fetch-package", "<time>+1:20</time> en ligne sur 50/50 connexions"},
	} {
		d := newDemo(t, func(o *journal.Opened) { o.Locale = lang })
		d.evening(d.afternoon(demoSpan))
		var report bytes.Buffer
		require.NoError(t, WriteReport(&report, d.Entries()))
		for _, sentence := range sentences {
			require.True(t, strings.Contains(html.UnescapeString(report.String()), sentence), sentence)
		}
		require.Equal(t, 2, strings.Count(report.String(), `<ol class="way">`))
	}
}
