package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A crowd asks a platform over and over, each time over a fresh connection, at a
// rate that does not depend on the answers, and keeps a record.
type crowd struct {
	keys    string // begin all keys of this load
	client  *http.Client
	stopped chan struct{}
	all     sync.WaitGroup

	mu       sync.Mutex
	asked    int
	acked    []int // objects that were acknowledged
	versions map[string]int
	wrong    []string
}

// everySo is the time between two visitors: 40 connections a second.
const everySo = 25 * time.Millisecond

// gather begins the load, which lasts until it is dismissed.
func (s *site) gather() *crowd {
	c := &crowd{keys: "/v1/objects/" + rand.Text() + "/", client: s.client(), stopped: make(chan struct{}), versions: map[string]int{}}
	c.all.Go(func() {
		ticker := time.NewTicker(everySo)
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-c.stopped:
				return
			case <-ticker.C:
				c.all.Go(func() { c.visit(n) })
			}
		}
	})
	return c
}

// visit puts a new object, or reads one that was acknowledged.
func (c *crowd) visit(n int) {
	c.mu.Lock()
	c.asked++
	which, writes := n, n%2 == 0 || len(c.acked) == 0
	if !writes {
		which = c.acked[n*7919%len(c.acked)]
	}
	c.mu.Unlock()
	text := fmt.Sprintf("object %d of this load", which)
	method, body, want, status := http.MethodGet, "", text, http.StatusOK
	if writes {
		method, body, want, status = http.MethodPut, text, "", http.StatusCreated
	}
	version, err := c.ask(method, fmt.Sprint(c.keys, which), body, want, status)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.wrong = append(c.wrong, err.Error())
		return
	}
	c.versions[version]++
	if writes {
		c.acked = append(c.acked, which)
	}
}

func (c *crowd) ask(method, path, body, want string, status int) (version string, err error) {
	request, err := http.NewRequest(method, "https://"+host+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+judgeToken)
	reply, err := c.client.Do(request)
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return "", err
	}
	if reply.StatusCode != status || want != "" && string(text) != want {
		return "", fmt.Errorf("%s %s: %d %.200q, want %d %q", method, path, reply.StatusCode, text, status, want)
	}
	return reply.Header.Get("Bogops-Version"), nil
}

// dismiss ends the load and wants that nobody was refused or answered wrongly,
// and that every answer came from one of these versions.
func (c *crowd) dismiss(t *testing.T, versions ...string) {
	t.Helper()
	close(c.stopped)
	c.all.Wait()
	t.Logf("%d fresh connections, by version %v", c.asked, c.versions)
	require.Empty(t, c.wrong)
	require.NotZero(t, c.asked)
	for version := range c.versions {
		require.True(t, slices.Contains(versions, version), version)
	}
}
