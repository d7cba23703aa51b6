package concourse

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
)

// flyID and flySecret are those of fly's own client: public, the same in every
// Concourse (skymarshal, since 5.0).
const (
	flyID     = "fly"
	flySecret = "Zmx5"
)

// trusted is how long a token that /api/v1/user knew is taken for a login
// without asking again: a token that Concourse has forgotten is answered as
// nobody's, with the same 200, wherever everybody may read.
const trusted = time.Minute

// errStatic says that the token is the one given and there is no other.
var errStatic = errors.New("the token was given and cannot be renewed")

// login holds the token that goes with requests.
type login struct {
	client *Client
	turn   chan struct{} // held by whoever reads or changes what follows

	bearer  string
	shown   time.Time // when /api/v1/user last knew it
	renewAt time.Time // zero: it has no end
}

func newLogin(c *Client) *login {
	l := &login{client: c, turn: make(chan struct{}, 1), bearer: string(c.access.Token)}
	return l
}

// enter waits for the turn, as long as ctx lasts.
func (l *login) enter(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return unanswered("waiting for the login", ctx.Err())
	}
}

func (l *login) leave() { <-l.turn }

// static says whether the token was given.
func (l *login) static() bool { return l.client.access.Token != "" }

// token is a bearer token that Concourse knows.
func (l *login) token(ctx context.Context) (string, error) {
	if err := l.enter(ctx); err != nil {
		return "", err
	}
	defer l.leave()
	now := l.client.now()
	if l.bearer != "" && now.Sub(l.shown) < trusted && (l.renewAt.IsZero() || now.Before(l.renewAt)) {
		return l.bearer, nil
	}
	if !l.static() && (l.bearer == "" || !now.Before(l.renewAt)) {
		if err := l.grant(ctx); err != nil {
			return "", err
		}
	}
	known, err := l.known(ctx)
	if err == nil && !known && !l.static() {
		if err = l.grant(ctx); err == nil {
			known, err = l.known(ctx)
		}
	}
	switch {
	case err != nil:
		return "", err
	case !known:
		return "", fmt.Errorf("GET /api/v1/user: %w: it does not know its own token", ErrDenied)
	}
	return l.bearer, nil
}

// renew replaces a token that Concourse has just refused, unless somebody else
// has done so meanwhile.
func (l *login) renew(ctx context.Context, refused string) (string, error) {
	if l.static() {
		return "", errStatic
	}
	if err := l.enter(ctx); err != nil {
		return "", err
	}
	defer l.leave()
	if l.bearer != refused && l.bearer != "" {
		return l.bearer, nil
	}
	if err := l.grant(ctx); err != nil {
		return "", err
	}
	return l.bearer, nil
}

// known asks who the token belongs to.
func (l *login) known(ctx context.Context) (bool, error) {
	q := question{method: http.MethodGet, path: "/user", anonymous: true}
	response, err := l.client.send(ctx, q, l.bearer)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		l.shown = l.client.now()
		return true, nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return false, nil
	}
	return false, l.client.refused(q.what(), response.StatusCode, nil)
}

// tokenRequest is what a failed login is called in errors.
const tokenRequest = "POST /sky/issuer/token"

// grant asks for a token with the password.
func (l *login) grant(ctx context.Context) error {
	c := l.client
	config := oauth2.Config{
		ClientID: flyID, ClientSecret: flySecret,
		Endpoint: oauth2.Endpoint{TokenURL: c.base + "/sky/issuer/token", AuthStyle: oauth2.AuthStyleInHeader},
		Scopes:   []string{"openid", "profile", "email", "federated:id", "groups"},
	}
	asked := c.now()
	l.bearer, l.shown = "", time.Time{}
	token, err := config.PasswordCredentialsToken(context.WithValue(ctx, oauth2.HTTPClient, c.http), c.access.User, string(c.access.Password))
	if err != nil {
		return c.notGranted(ctx, err)
	}
	c.hidden.Add(token.AccessToken)
	l.bearer, l.renewAt = token.AccessToken, time.Time{}
	if life := time.Duration(token.ExpiresIn) * time.Second; life > 0 {
		l.renewAt = asked.Add(life - min(time.Minute, life/10))
	}
	return nil
}

// notGranted classifies an error of oauth2, whose own text may quote answers.
func (c *Client) notGranted(ctx context.Context, err error) error {
	var said *oauth2.RetrieveError
	var outer *url.Error
	switch {
	case errors.As(err, &said) && (said.ErrorCode == "access_denied" || said.ErrorCode == "invalid_grant"):
		return fmt.Errorf("%s: %w (%s)", tokenRequest, ErrDenied, said.ErrorCode)
	case errors.As(err, &said):
		return c.refused(tokenRequest, said.Response.StatusCode, said.Body)
	case errors.As(err, &outer):
		return unanswered(tokenRequest, outer.Err)
	case ctx.Err() != nil:
		return unanswered(tokenRequest, ctx.Err())
	}
	return &StatusError{What: tokenRequest, Status: http.StatusOK, Problem: "no token as RFC 6749 has it: " + c.extract([]byte(err.Error()))}
}
