package concourse

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"bogops/validator/target"
)

// The classes of what a client may meet. An ErrUnreachable and an ErrCertificate
// hold a *target.Failure that says what happened.
var (
	ErrUnreachable = errors.New("concourse gives no whole answer")           // whose fault that is, Settle says
	ErrCertificate = errors.New("concourse's certificate cannot be trusted") // the team's
	ErrDenied      = errors.New("concourse refuses the judge's login")       // the team's: withdrawn, or too weak
	ErrNotFound    = errors.New("concourse has no such thing")               // the team's: a name that is not the norm's
)

// StatusError is an answer that none of the classes describes: another status,
// or a body that is not what Concourse sends.
type StatusError struct {
	What    string // the request: GET /api/v1/info
	Status  int
	Problem string // what is wrong with the body; empty: the status
	Extract string // of the body, one line, without secrets
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s: status %d", e.What, e.Status)
	if e.Problem != "" {
		text += ": " + e.Problem
	}
	if e.Extract != "" {
		text += fmt.Sprintf(" (%q)", e.Extract)
	}
	return text
}

// maxExtract is how many bytes of a body an error shows.
const maxExtract = 300

// extract is the beginning of a body as one line without secrets.
func (c *Client) extract(body []byte) string {
	// Hidden first: what is cut through the middle of a secret shows half of it.
	reply := target.Reply{Body: []byte(c.hidden.String(string(body)))}
	return reply.Excerpt(maxExtract)
}

// unanswered classifies a request that got no whole answer.
func unanswered(what string, err error) error {
	failure := &target.Failure{Kind: target.KindOf(err), What: what, Err: err}
	switch failure.Kind {
	case target.Cancelled:
		return fmt.Errorf("%s: %w", what, context.Canceled)
	case target.Own:
		return failure // unclassified: the judge's own
	case target.Untrusted:
		return fmt.Errorf("%w: %w", ErrCertificate, failure)
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, failure)
}

// refused classifies an answer whose status is not one of success.
func (c *Client) refused(what string, status int, body []byte) error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%s: %w (status %d)", what, ErrDenied, status)
	case http.StatusNotFound:
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	return &StatusError{What: what, Status: status, Extract: c.extract(body)}
}
