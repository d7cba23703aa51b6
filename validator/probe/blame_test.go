package probe_test

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/rogue"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// closedPort is an address where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// mutePort accepts connections into its backlog and never says a word. As a
// control it answers: it connects.
func mutePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

func resolverOf(t *testing.T, serve func() (*rogue.Names, error)) *net.Resolver {
	t.Helper()
	names, err := serve()
	require.NoError(t, err)
	t.Cleanup(names.Close)
	return names.Resolver()
}

func TestTheJudgeBlamesWhoeverIsAtFault(t *testing.T) {
	closed, mute := closedPort(t), mutePort(t)
	nobody := resolverOf(t, func() (*rogue.Names, error) { return rogue.NewNames(nil) })
	servfail := resolverOf(t, rogue.NewFailingNames)
	silent := resolverOf(t, rogue.NewMuteNames)
	known := resolverOf(t, func() (*rogue.Names, error) {
		return rogue.NewNames(map[string][]netip.Addr{"platform.test": {netip.MustParseAddr("127.0.0.1")}})
	})
	_, closedAt, err := net.SplitHostPort(closed)
	require.NoError(t, err)

	for _, c := range []struct {
		what     string
		host     string
		resolver *net.Resolver
		control  string
		status   verdict.Status
		exit     int
	}{
		{"a closed port is the platform's, without a control", closed, nil, "", verdict.Down, 1},
		{"a closed port is the platform's, with a silent control", closed, nil, closed, verdict.Down, 1},
		{"a closed port behind a name is the platform's", "platform.test:" + closedAt, known, "", verdict.Down, 1},
		{"silence is nobody's without a control", mute, nil, "", verdict.NotChecked, 2},
		{"silence is the platform's while the control answers", mute, nil, mute, verdict.Down, 1},
		{"silence is the judge's while the control is silent too", mute, nil, closed, verdict.JudgeError, 3},
		{"an unknown name is nobody's without a control", "platform.test", nobody, "", verdict.NotChecked, 2},
		{"an unknown name is the platform's while the control answers", "platform.test", nobody, mute, verdict.Down, 1},
		{"an unknown name is the judge's while the control is silent too", "platform.test", nobody, closed, verdict.JudgeError, 3},
		{"a resolver that fails is the judge's", "platform.test", servfail, mute, verdict.JudgeError, 3},
		{"a resolver that fails is the judge's without a control too", "platform.test", servfail, "", verdict.JudgeError, 3},
		{"a resolver that is silent is the judge's", "platform.test", silent, mute, verdict.JudgeError, 3},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			platform := target.Target{
				URL: &url.URL{Scheme: "http", Host: c.host}, Token: "judge", Resolver: c.resolver, Control: c.control,
			}
			for _, p := range some(t, "api/put-get", "api/head", "api/too-large", "api/slow-clients") {
				p.Timeout = 400 * time.Millisecond
				v := probe.Run(t.Context(), p, platform, probe.Env{LargeBytes: 1 << 20})
				require.Equal(t, c.status, v.Status, "%s: %s: got %s, want %s", v.Check, v.Message, v.Got, v.Want)
				require.Equal(t, c.exit, probe.ExitCode([]journal.Verdict{v}))
			}
		})
	}
}

func some(t *testing.T, ids ...string) []probe.Probe {
	t.Helper()
	var chosen []probe.Probe
	for _, p := range probe.All(probe.Bronze) {
		for _, id := range ids {
			if p.Check.ID == id {
				chosen = append(chosen, p)
			}
		}
	}
	require.Len(t, chosen, len(ids))
	return chosen
}

func TestAStoppedJudgeBlamesNobody(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	at := mutePort(t)
	platform := target.Target{URL: &url.URL{Scheme: "http", Host: at}, Token: "judge", Control: at}
	for _, p := range some(t, "api/put-get", "api/head", "tls/chain") {
		if p.Check.Brick == "tls" {
			platform.URL = &url.URL{Scheme: "https", Host: at}
		}
		v := probe.Run(ctx, p, platform, probe.Env{})
		require.Equal(t, verdict.NotChecked, v.Status, "%s: %s", v.Check, v.Message)
	}
}
