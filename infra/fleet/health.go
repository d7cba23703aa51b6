package fleet

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// health is what the looks at an instance's /readyz have said.
type health struct {
	ready  bool
	reason string // why not
	silent int    // looks in a row that got no answer
}

// silences is how many looks in a row must stay without an answer before an
// instance that was ready no longer is, as with the balancers of clouds: a busy
// machine answers late. One that says itself that it is not ready is believed
// at once, and so is the kernel that refuses a connection.
const silences = 3

// after is what is known once found was found.
func (h health) after(found health) health {
	if found.silent > 0 {
		found.silent += h.silent
		found.ready = h.ready && found.silent < silences
	}
	return found
}

// look returns what is known of an instance. Of one that the balancer does not
// have, or has not yet asked, nothing is.
func (b *balancer) look(id string) health {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.health[id]
}

// isReady says whether the last health check of an instance succeeded.
func (b *balancer) isReady(id string) bool { return b.look(id).ready }

// mark keeps what was found, of an instance that is still there.
func (b *balancer) mark(id string, found health) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if slices.ContainsFunc(b.backends, func(x backend) bool { return x.id == id }) {
		b.health[id] = b.health[id].after(found)
	}
}

// watch asks every instance for its readiness, all at once, at each interval.
func (b *balancer) watch(ctx context.Context) {
	defer b.done.Done()
	transport := &http.Transport{
		// A health checker does not judge certificates: an instance that has
		// none yet must be found alive, and the judge checks chains itself.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: b.name},
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Second}
	ticker := time.NewTicker(b.checkInterval)
	defer ticker.Stop()
	for {
		b.mu.Lock()
		list := slices.Clone(b.backends)
		b.mu.Unlock()
		var all sync.WaitGroup
		for _, x := range list {
			all.Go(func() { b.mark(x.id, readiness(ctx, client, x.tls)) })
		}
		all.Wait()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func readiness(ctx context.Context, client *http.Client, address string) health {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/readyz", nil)
	if err != nil {
		return health{reason: err.Error()}
	}
	reply, err := client.Do(request)
	if err != nil {
		found := health{reason: "its /readyz does not answer: " + err.Error()}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			found.silent = 1
		}
		return found
	}
	defer reply.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(reply.Body, 4096))
	if reply.StatusCode == http.StatusOK {
		return health{ready: true}
	}
	return health{reason: fmt.Sprintf("its /readyz answers %d: %s", reply.StatusCode, gist(body))}
}

// gist is what a body says, short and printable: the detail of a problem, or
// the text itself.
func gist(body []byte) string {
	var problem struct{ Title, Detail string }
	text := string(body)
	if json.Unmarshal(body, &problem) == nil && problem.Title+problem.Detail != "" {
		text = strings.Trim(problem.Title+": "+problem.Detail, ": ")
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	return strings.TrimSpace(text[:min(len(text), 300)])
}
