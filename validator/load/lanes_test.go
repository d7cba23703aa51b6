package load

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/contest"
)

func TestNoConnectionGrowsOldAndSomeRequestsMakeTheirOwn(t *testing.T) {
	var mu sync.Mutex
	oldest := time.Duration(0)
	x := (&trial{
		stages: steady(10, 300*time.Second), mix: contest.Mix{Put: 1},
		before: func(time.Time) func(http.ResponseWriter, *http.Request) bool {
			return func(_ http.ResponseWriter, r *http.Request) bool {
				mu.Lock()
				defer mu.Unlock()
				oldest = max(oldest, time.Since(r.Context().Value(born{}).(time.Time)))
				return false
			}
		},
	}).run(t)
	require.Equal(t, x.summary.Offered, x.summary.Good)
	require.Greater(t, oldest, 45*time.Second, "connections are kept")
	require.LessOrEqual(t, oldest, 73*time.Second, "but for 72 s at most")
	require.InDelta(t, 0.05*3000+4*5, x.summary.Connections, 50)
}

func TestAllAddressesOfANameAreUsedInTurn(t *testing.T) {
	n := &name{}
	start := time.Unix(0, 0)
	n.merge([]string{"10.0.0.1", "10.0.0.2"}, start)
	first := map[string]int{}
	for range 10 {
		first[n.turn()[0]]++
	}
	require.Equal(t, map[string]int{"10.0.0.1": 5, "10.0.0.2": 5}, first)
}

func TestAnAddressThatVanishedIsKeptForTwoMinutes(t *testing.T) {
	n := &name{}
	start := time.Unix(0, 0)
	n.merge([]string{"10.0.0.1", "10.0.0.2"}, start)
	n.merge([]string{"10.0.0.2", "10.0.0.3"}, start.Add(2*time.Minute))
	require.ElementsMatch(t, []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}, n.turn())
	n.merge([]string{"10.0.0.3"}, start.Add(2*time.Minute+time.Second))
	require.ElementsMatch(t, []string{"10.0.0.2", "10.0.0.3"}, n.turn())
}

func TestADeadAddressIsPassedOver(t *testing.T) {
	var dialed []string
	c := Config{dial: func(_ context.Context, _, address string) (net.Conn, error) {
		dialed = append(dialed, address)
		if address == "10.0.0.1:443" {
			return nil, errors.New("no route")
		}
		ours, theirs := net.Pipe()
		return ours, theirs.Close()
	}}
	a := newAddresses(c)
	a.names["platform.test"] = &name{asked: time.Now(), known: []address{{ip: "10.0.0.1", seen: time.Now()}, {ip: "10.0.0.2", seen: time.Now()}}}
	for range 4 {
		conn, err := a.dial(t.Context(), "tcp", "platform.test:443")
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	}
	require.Contains(t, dialed, "10.0.0.1:443")
	c.Target.Resolve = map[string]string{"platform.test": "127.0.0.1:1234"}
	a.config = c
	_, err := a.dial(t.Context(), "tcp", "platform.test:443")
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:1234", dialed[len(dialed)-1], "a rehearsal's map comes before any resolver")
}

func BenchmarkVerifiedGet4KiB(b *testing.B) {
	t, err := selfTest{wire: loopback{}}.bench(b.Context(), "", contest.Mix{Get: 1}, 100, time.Second)
	require.NoError(b, err)
	defer t.close()
	c, err := t.config.normal()
	require.NoError(b, err)
	lanes := newLanes(c)
	defer lanes.close()
	s := newSender(c, lanes)
	key := c.Plan.LoadedObject(0).Key
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if res := s.get(b.Context(), Arrival{N: 1, Op: Get}, key, time.Now()); !res.right {
				b.Error(res.kind, res.detail)
			}
		}
	})
}
