package concourse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"bogops/validator/target"
)

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = target.DefaultLimit

// question is one request to the API.
type question struct {
	method    string
	path      string // below /api/v1, escaped
	query     url.Values
	header    http.Header
	body      string
	anonymous bool // sent without the login
	stream    bool // the head too may take its time: a pending build has no events
}

func (q question) what() string { return q.method + " /api/v1" + q.path }

// pipelinePath is a path below the pipeline's own; its parts are escaped.
func (c *Client) pipelinePath(parts ...string) string {
	path := "/teams/" + url.PathEscape(c.access.Team) + "/pipelines/" + url.PathEscape(c.access.Pipeline)
	for _, part := range parts {
		path += "/" + url.PathEscape(part)
	}
	return path
}

// of asks about the pipeline: what is below it, with the vars of its instance.
func (c *Client) of(method string, parts ...string) question {
	return question{method: method, path: c.pipelinePath(parts...), query: instance(c.access.Instance)}
}

func build(method string, id int, parts ...string) question {
	return question{method: method, path: strings.Join(append([]string{"/builds", strconv.Itoa(id)}, parts...), "/")}
}

// instance spells vars as the API wants them: vars.branch="main", as JSON. A
// name that holds a mark of Concourse's own is quoted.
func instance(vars map[string]any) url.Values {
	query := url.Values{}
	for name, value := range vars {
		text, err := json.Marshal(value)
		if err != nil {
			continue // a contest file holds nothing that JSON cannot say
		}
		if strings.ContainsAny(name, ".:/ ") {
			name = strconv.Quote(name)
		}
		query.Set("vars."+name, string(text))
	}
	return query
}

// ask sends q and reads the answer into into, where that is not nil. A 401 is
// answered once with a fresh token, which is safe also for a trigger: Concourse
// asks who somebody is before it does anything for them.
func (c *Client) ask(ctx context.Context, q question, into any) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience.answer)
	defer cancel()
	status, body, err := c.exchange(ctx, q)
	if err != nil {
		return err
	}
	if status < 200 || status > 299 {
		return c.refused(q.what(), status, body)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &StatusError{What: q.what(), Status: status, Problem: fmt.Sprintf("not the JSON that Concourse sends: %v", err), Extract: c.extract(body)}
	}
	return nil
}

func (c *Client) exchange(ctx context.Context, q question) (status int, body []byte, err error) {
	response, err := c.open(ctx, q)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err == nil {
		// What ends after its time may look whole, as for a target.
		err = ctx.Err()
	}
	if err != nil {
		return 0, nil, broken(q.what(), err)
	}
	if len(body) > maxAnswer {
		return 0, nil, &StatusError{What: q.what(), Status: response.StatusCode, Problem: fmt.Sprintf("the answer is longer than %d bytes", maxAnswer)}
	}
	return response.StatusCode, body, nil
}

// open sends q and returns the answer with its body unread.
func (c *Client) open(ctx context.Context, q question) (*http.Response, error) {
	if q.anonymous {
		return c.send(ctx, q, "")
	}
	token, err := c.login.token(ctx)
	if err != nil {
		return nil, err
	}
	response, err := c.send(ctx, q, token)
	if err != nil || response.StatusCode != http.StatusUnauthorized {
		return response, err
	}
	fresh, err := c.login.renew(ctx, token)
	if errors.Is(err, errStatic) {
		return response, nil
	}
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	return c.send(ctx, q, fresh)
}

func (c *Client) send(ctx context.Context, q question, token string) (*http.Response, error) {
	address := c.base + "/api/v1" + q.path
	if len(q.query) > 0 {
		address += "?" + q.query.Encode()
	}
	var body io.Reader
	if q.body != "" {
		body = strings.NewReader(q.body)
	}
	request, err := http.NewRequestWithContext(ctx, q.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", q.what(), err)
	}
	for name, values := range q.header {
		request.Header[name] = values
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := c.http
	if q.stream {
		client = c.streams
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, unanswered(q.what(), cause(err))
	}
	return response, nil
}

// cause is what lies behind the error of an http.Client, without the address
// that it repeats.
func cause(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}

// broken classifies a body that ended early; anything else keeps its own name.
func broken(what string, err error) error {
	if target.KindOf(err) != target.Reset {
		return unanswered(what, err)
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, &target.Failure{Kind: target.Cut, What: what, Err: err})
}
