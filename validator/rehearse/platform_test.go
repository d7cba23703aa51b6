package rehearse

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/rollout"
)

// buildApp builds the reference server.
func buildApp(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts real servers")
	}
	path := filepath.Join(t.TempDir(), "app")
	build := exec.Command("go", "build", "-o", path, "bogops/app")
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
	return path
}

// onStage assembles the cast and brings one team in.
func onStage(t *testing.T, team string) (*cast, *member) {
	t.Helper()
	c, err := assemble(t.Context(), buildApp(t), "", t.TempDir(), t.TempDir(), false)
	if c != nil {
		t.Cleanup(func() { require.NoError(t, c.leave()) })
	}
	require.NoError(t, err)
	require.NoError(t, c.enter(t.Context(), c.member(team), t.Logf))
	return c, c.member(team)
}

// visitor is a client that keeps its connections or opens a fresh one each
// time.
func visitor(t *testing.T, c *cast, m *member, fresh bool) *http.Client {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: c.roots},
		DisableKeepAlives: fresh,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, m.tls.address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 5 * time.Second}
}

// describedVersion asks the platform for its version.
func describedVersion(client *http.Client, m *member) (string, error) {
	reply, err := client.Get("https://" + m.host + "/.well-known/bogops.json")
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		return "", err
	}
	var description struct{ Version string }
	return description.Version, json.Unmarshal(body, &description)
}

func TestAFleetGetsOneCertificateAndSurvivesAKillAndARollOut(t *testing.T) {
	c, m := onStage(t, "loutres")
	require.Equal(t, 1, c.authority.Orders(), "two instances, one order")

	visiting, stop := context.WithCancel(t.Context())
	var visitors sync.WaitGroup
	var mu sync.Mutex
	asked, failures := 0, []error{}
	for i := range 4 {
		client := visitor(t, c, m, i%2 == 0)
		visitors.Go(func() {
			for visiting.Err() == nil {
				_, err := describedVersion(client, m)
				mu.Lock()
				asked++
				if err != nil {
					failures = append(failures, err)
				}
				mu.Unlock()
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	rolled := m.platform.roll(t.Context(), "v2+nonce", readyWithin)
	stop()
	visitors.Wait()
	require.NoError(t, rolled)
	require.Greater(t, asked, 100)
	require.Empty(t, failures, "a roll-out refuses nobody")

	fresh := visitor(t, c, m, true)
	for range 10 {
		version, err := describedVersion(fresh, m)
		require.NoError(t, err)
		require.Equal(t, "v2+nonce", version)
	}

	victim, err := m.platform.victim()
	require.NoError(t, err)
	require.NoError(t, m.platform.group.Kill(victim))
	require.ErrorContains(t, m.platform.group.Whole(), "1 of 2 instances")
	healing, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, m.platform.group.AwaitWhole(healing))
	require.Equal(t, 1, c.authority.Orders(), "the new ones read the shared certificate")
}

func TestAVersionThatNeverGetsReadyLeavesThePlatformServing(t *testing.T) {
	c, m := onStage(t, "loutres")
	whole := m.platform.args
	m.platform.args = append(whole[:len(whole):len(whole)], "--acme-cache", t.TempDir(), "--acme-directory", "https://127.0.0.1:1/dir")
	err := m.platform.roll(t.Context(), "v2+broken", 2*time.Second)
	require.ErrorContains(t, err, "was not ready within 2s")
	require.NotErrorIs(t, err, rollout.ErrNotBack)
	require.NoError(t, m.platform.group.Whole())
	version, err := describedVersion(visitor(t, c, m, true), m)
	require.NoError(t, err)
	require.Equal(t, "v1+rehearsal", version)
}
