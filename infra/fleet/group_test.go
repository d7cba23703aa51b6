package fleet

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAGroupReplacesWhatDies(t *testing.T) {
	t.Parallel()
	s := open(t, builtIn(t, "v1"))
	s.settles("v1", "v1")
	victim, ok := s.Oldest()
	require.True(t, ok)
	require.Equal(t, "otters-1", victim)
	require.NoError(t, s.Kill(victim))
	require.False(t, s.Alive(victim))
	require.ErrorContains(t, s.Whole(), "1 of 2 instances")
	s.settles("v1", "v1")
	require.NoError(t, s.Whole())
	require.Equal(t, Ended, s.look(victim).State, "whoever asks is told what became of it")
	require.Equal(t, "was killed", s.look(victim).Reason)
}

func TestBeforeItsFirstDeploymentAGroupRunsNothing(t *testing.T) {
	t.Parallel()
	s := open(t, options(t, t.TempDir()))
	d := s.Describe()
	require.Nil(t, d.Release)
	require.Empty(t, d.Instances)
	require.Equal(t, Size{Wanted: 2, Most: 8}, d.Size)
	acted, err := s.Refill(t.Context())
	require.NoError(t, err)
	require.False(t, acted)
}

func TestAGroupGoesOnWithItsReleaseAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, options(t, dir))
	require.Equal(t, http.StatusCreated, s.upload("one", pack(t, contents("r1")), nil))
	require.Equal(t, http.StatusCreated, s.upload("two", pack(t, contents("r2")), nil))
	s.take(60)
	first, second := Release{"one", "r1"}, Release{"two", "r2+nonce"}
	for _, r := range []Release{first, second, second} { // the third changes nothing
		require.Equal(t, http.StatusOK, s.call("PUT", "/v1/release", r, nil))
	}
	s.giveBack()
	require.Equal(t, http.StatusOK, s.call("PUT", "/v1/size", map[string]int{"size": 3}, nil))
	s.settles("r2+nonce", "r2+nonce", "r2+nonce")
	require.NoError(t, s.Stop())

	s = open(t, options(t, dir))
	d := s.Describe()
	require.Equal(t, &second, d.Release)
	require.Equal(t, &first, d.Previous)
	require.Equal(t, 3, d.Size.Wanted)
	require.Len(t, d.Packages, 2)
	s.settles("r2+nonce", "r2+nonce", "r2+nonce")
	require.Contains(t, ask(t, s.address), "r2+nonce blue")
	require.Contains(t, s.Describe().Instances[0].ID, "otters-4", "no name is used twice")
}

func TestAGroupThatCannotStartLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	o := builtIn(t, "v1-dies")
	_, err := Start(t.Context(), o)
	require.ErrorContains(t, err, "instance otters-1 ended: exit status 3")
	require.Empty(t, processes(t, o.Dir))
	_, err = o.TLS.Accept()
	require.Error(t, err, "the listeners are closed")
}

func TestWhatDoesNotWorkIsRefusedBeforeAnythingStarts(t *testing.T) {
	t.Parallel()
	for says, change := range map[string]func(*Options){
		"want ID, Dir, Args, TLS and HTTP": func(o *Options) { o.ID = "" },
		"Options.Size: 9 given":            func(o *Options) { o.Size = 9 },
		"Options.Keep: 1 given":            func(o *Options) { o.Keep = 1 },
		"want App and Version":             func(o *Options) { o.App = "/bin/true" },
		"state.json: size 99": func(o *Options) {
			require.NoError(t, os.WriteFile(filepath.Join(o.Dir, "state.json"), []byte(`{"size":99}`), 0o600))
		},
		"does not hold a group's state": func(o *Options) {
			require.NoError(t, os.WriteFile(filepath.Join(o.Dir, "state.json"), []byte(`{"si`), 0o600))
		},
	} {
		o := options(t, t.TempDir())
		change(&o)
		_, err := Start(t.Context(), o)
		require.ErrorContains(t, err, says)
	}
}

func TestStopLeavesNoProcessBehind(t *testing.T) {
	t.Parallel()
	mark := "v1-" + filepath.Base(t.TempDir()) + "-" + strings.ToLower(t.Name())
	s := open(t, builtIn(t, mark))
	s.settles(mark, mark)
	require.NotEmpty(t, processes(t, mark))
	require.NoError(t, s.Stop())
	require.Empty(t, processes(t, mark))
}

func TestAStartScriptThatDoesNotExecIsEndedWithAllThatItStarted(t *testing.T) {
	t.Parallel()
	mark := "sleeper-" + filepath.Base(filepath.Dir(t.TempDir()))
	o := options(t, t.TempDir())
	o.BootWithin = time.Second
	s := open(t, o)
	files := contents("r1")
	files["start.sh"] = "#!/bin/sh\nsh -c 'sleep 1000; true' " + mark + "\n"
	require.Equal(t, http.StatusCreated, s.upload("sleeper", pack(t, files), nil))
	s.take(60)
	i := s.launch(Release{"sleeper", "r1"})
	require.Eventually(t, func() bool { return s.look(i.ID).State == Ended }, time.Minute, 20*time.Millisecond)
	require.Equal(t, "did not listen within 1s", s.look(i.ID).Reason)
	require.Eventually(t, func() bool { return len(processes(t, mark)) == 0 }, time.Minute, 20*time.Millisecond)
}

func TestWhatDoesNotDrainIsKilled(t *testing.T) {
	t.Parallel()
	o := builtIn(t, "v1-stuck")
	o.DrainWithin = 10 * time.Second // it is to be seen draining before
	s := open(t, o)
	s.settles("v1-stuck", "v1-stuck")
	require.Equal(t, http.StatusAccepted, s.call("DELETE", "/v1/instances/otters-1", nil, nil))
	require.Equal(t, Draining, s.look("otters-1").State)
	require.Eventually(t, func() bool { return !s.Alive("otters-1") }, time.Minute, 20*time.Millisecond)
	s.settles("v1-stuck", "v1-stuck")
	require.Contains(t, o.Log.(*diary).String(), "otters-1 was still draining after 10s and was killed")
}

func TestAReleaseThatDiesAtOnceIsTriedAgainLessAndLessOften(t *testing.T) {
	t.Parallel()
	var s shortage
	now := time.Unix(1000, 0)
	require.False(t, s.due(now))
	require.True(t, s.due(now.Add(replaceAfter)))
	s.fails = 2
	require.False(t, s.due(now.Add(2*replaceAfter)))
	require.True(t, s.due(now.Add(4*replaceAfter)))
	s.fails = 50
	require.True(t, s.due(now.Add(30*time.Second)), "but often enough")
}
