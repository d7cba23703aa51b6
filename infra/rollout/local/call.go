package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"bogops/infra/fleet"
)

// request is one call of the control API.
type request struct {
	method, path string
	query        url.Values
	header       http.Header
	body         any                           // sent as JSON
	open         func() (io.ReadCloser, error) // or sent as it is
	length       int64                         // of what open yields
	into         any                           // the answer, from JSON
	once         bool                          // must not be tried again where the outcome is unknown
}

// tries bounds how often a call is made whose answer does not come.
const tries = 4

// refused is an answer that is an error.
type refused struct {
	status int
	detail string
}

func (r refused) Error() string { return fmt.Sprintf("the fleet says %d: %s", r.status, r.detail) }

func isStatus(err error, status int) bool {
	var r refused
	return errors.As(err, &r) && r.status == status
}

// call asks, and asks again where no answer comes and that is safe.
func (f *Fleet) call(ctx context.Context, r request) error {
	for n := 1; ; n++ {
		err := f.ask(ctx, r)
		var answered refused
		if err == nil || errors.As(err, &answered) || r.once || n == tries {
			return err
		}
		if waited := wait(ctx, time.Duration(n)*250*time.Millisecond); waited != nil {
			return errors.Join(err, waited)
		}
	}
}

func (f *Fleet) ask(ctx context.Context, r request) error {
	body, err := r.content()
	if err != nil {
		return err
	}
	if body != nil {
		defer body.Close()
	}
	target := f.base.JoinPath(r.path)
	target.RawQuery = r.query.Encode()
	asked, err := http.NewRequestWithContext(ctx, r.method, target.String(), body)
	if err != nil {
		return err
	}
	for name, values := range r.header {
		asked.Header[name] = values
	}
	if r.open != nil {
		asked.ContentLength = r.length
	}
	asked.Header.Set("Authorization", "Bearer "+f.token)
	answer, err := f.client.Do(asked)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return r.take(answer)
}

// content is what is sent; each try sends it from its beginning.
func (r request) content() (io.ReadCloser, error) {
	switch {
	case r.open != nil:
		return r.open()
	case r.body != nil:
		text, err := json.Marshal(r.body)
		return io.NopCloser(bytes.NewReader(text)), err
	}
	return nil, nil
}

// take reads the answer.
func (r request) take(answer *http.Response) error {
	body := io.LimitReader(answer.Body, 4<<20)
	if answer.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(body, 2000))
		var problem fleet.Problem
		if json.Unmarshal(text, &problem) != nil || problem.Detail == "" {
			problem.Detail = fmt.Sprintf("%.300q", text)
		}
		return refused{status: answer.StatusCode, detail: problem.Detail}
	}
	if r.into == nil {
		_, err := io.Copy(io.Discard, body)
		return err
	}
	if err := json.NewDecoder(body).Decode(r.into); err != nil {
		return fmt.Errorf("%s %s: the answer is not the JSON that is wanted: %w", r.method, r.path, err)
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
