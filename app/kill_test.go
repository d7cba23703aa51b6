package main

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// built is the program as it is deployed, without the race detector of a test
// binary: it starts in some milliseconds.
func built(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "app")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// Two instances over one directory are killed one after the other while
// clients work on both. BOGOPS_KILLS makes it more often, BOGOPS_SEED replays
// what is sent and when, in numbers of acknowledgements, somebody is killed.
func TestKillingInstancesLosesNothingTearsNothingAndRepeatsNothing(t *testing.T) {
	kills, stops, seed := 200, uint64(5), uint64(time.Now().UnixNano())
	if testing.Short() {
		kills, stops = 10, 0
	}
	for name, set := range map[string]func(uint64){
		"BOGOPS_KILLS": func(n uint64) { kills = int(n) }, "BOGOPS_SEED": func(n uint64) { seed = n },
		"BOGOPS_STOPS": func(n uint64) { stops = n },
	} {
		if text := os.Getenv(name); text != "" {
			n, err := strconv.ParseUint(text, 10, 64)
			require.NoError(t, err, "%s: want a number", name)
			set(n)
		}
	}
	t.Logf("BOGOPS_SEED=%d", seed)
	program, store := built(t), "file:"+t.TempDir()
	l := newLoad(2)
	apps := make([]*instance, len(l.instances))
	launch := func(i int) {
		apps[i] = startProgram(t, program, "--listen", "127.0.0.1:0", "--store", store)
		require.NotEmpty(t, apps[i].url, apps[i].out.String())
		l.instances[i].Store(&apps[i].url)
	}
	for i := range apps {
		launch(i)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { l.run(ctx, seed) })
	defer running.Wait()
	defer stop()
	draw := rand.New(rand.NewPCG(seed, loadClients))
	for kill := range kills {
		l.epoch.Store(int64(kill / 20))
		i := draw.IntN(len(apps))
		if kill*int(stops)/kills != (kill+1)*int(stops)/kills {
			l.pause(t, apps[i], i)
		}
		l.await(t, 1+draw.IntN(40))
		require.NoError(t, syscall.Kill(apps[i].pid, syscall.SIGKILL))
		_ = apps[i].end()
		launch(i)
	}
	stop()
	running.Wait()
	require.NoError(t, l.audit(), "BOGOPS_SEED=%d", seed)
	t.Logf("%d kills, %d stops; %s", kills, stops, l.counts())
	require.Greater(t, l.counted(unknownWrites), kills, "hardly any kill hit a write")
	require.GreaterOrEqual(t, l.gaveUp, int(stops), "the stops kept nobody waiting")
}

// await waits for so many acknowledgements.
func (l *load) await(t *testing.T, acks int) {
	t.Helper()
	for range acks {
		select {
		case <-l.acks:
		case <-time.After(30 * time.Second):
			require.NoError(t, l.failure())
			require.FailNow(t, "nothing is acknowledged any more")
		}
	}
}

// pause stops a process in the middle of its work for longer than clients
// wait, while they work on with the others; what it had begun must not show up
// afterwards over what came after.
func (l *load) pause(t *testing.T, app *instance, i int) {
	t.Helper()
	require.NoError(t, syscall.Kill(app.pid, syscall.SIGSTOP))
	defer func() { require.NoError(t, syscall.Kill(app.pid, syscall.SIGCONT)) }()
	time.Sleep(5 * time.Millisecond) // some requests meet a stopped process
	l.instances[i].Store(nil)
	time.Sleep(patience + 500*time.Millisecond)
	for len(l.acks) > 0 {
		<-l.acks
	}
	l.await(t, 2*loadKeys) // written by clients that gave up
	l.instances[i].Store(&app.url)
}
