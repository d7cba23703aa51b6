package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// consent is whether the platform agrees to be loaded: its self-description
// names the contest. Nobody is loaded who does not say so.
type consent struct {
	config Config
	lanes  *lanes
	first  chan struct{} // closed when the first answer is known

	mu  sync.Mutex
	yes bool
	at  time.Time // when the first answer was known
}

func newConsent(c Config, l *lanes) *consent {
	return &consent{config: c, lanes: l, first: make(chan struct{})}
}

// watch looks at the consent until ctx ends. What was given stays given while
// the platform does not answer: only its own words withdraw it.
func (c *consent) watch(ctx context.Context) {
	told := false
	for ctx.Err() == nil {
		yes, err := c.ask(ctx)
		c.mu.Lock()
		if err == nil {
			c.yes = yes
		}
		if !told {
			c.at = time.Now()
			close(c.first)
			told = true
		}
		c.mu.Unlock()
		sleepUntil(ctx, time.Now().Add(c.config.scaled(consentEvery)))
	}
	if !told {
		close(c.first)
	}
}

// known waits for the first answer, whatever it is.
func (c *consent) known(ctx context.Context) bool {
	select {
	case <-c.first:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (c *consent) given() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.yes
}

func (c *consent) since() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// ask reads the self-description. An error says that there was no answer.
func (c *consent) ask(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	u := *c.config.Target.URL
	u.Path = strings.TrimSuffix(u.Path, "/") + "/.well-known/bogops.json"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return false, err
	}
	request.Header.Set("User-Agent", userAgent)
	response, err := c.lanes.pick(0, time.Now()).RoundTrip(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return false, err
	}
	if response.StatusCode != http.StatusOK {
		return false, fmt.Errorf("status %d", response.StatusCode)
	}
	var description struct {
		Contest string `json:"contest"`
	}
	if err := json.Unmarshal(body, &description); err != nil {
		return false, errors.New("the self-description is no JSON object")
	}
	return description.Contest != "" && description.Contest == c.config.Target.Contest, nil
}
