// Package local drives a group of infra/fleet by its control API.
package local

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"bogops/infra/fleet"
	"bogops/infra/rollout"
)

// Fleet is a group behind a control API. Its methods may be called concurrently.
type Fleet struct {
	base   *url.URL
	token  string
	client *http.Client
}

var _ rollout.Fleet = (*Fleet)(nil)

// New makes a driver for the control API at address, a URL such as
// http://127.0.0.1:7000. A nil client is http.DefaultClient; its timeout, where
// it has one, also bounds an upload.
func New(address, token string, client *http.Client) (*Fleet, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("fleet %q: want a URL such as http://127.0.0.1:7000", address)
	}
	if client == nil {
		client = http.DefaultClient
	}
	return &Fleet{base: base, token: token, client: client}, nil
}

// Describe implements rollout.Fleet.
func (f *Fleet) Describe(ctx context.Context) (rollout.State, error) {
	var d fleet.Description
	if err := f.call(ctx, request{method: http.MethodGet, path: "/v1/group", into: &d}); err != nil {
		return rollout.State{}, err
	}
	s := rollout.State{Size: d.Size.Wanted, Most: d.Size.Most, Release: release(d.Release), Previous: release(d.Previous)}
	if d.Lease != nil {
		s.Holder = d.Lease.Holder
	}
	for _, i := range d.Instances {
		s.Instances = append(s.Instances, instance(i))
	}
	return s, nil
}

// Instance implements rollout.Fleet.
func (f *Fleet) Instance(ctx context.Context, id string) (rollout.Instance, error) {
	var i fleet.Instance
	err := f.call(ctx, request{method: http.MethodGet, path: "/v1/instances/" + url.PathEscape(id), into: &i})
	if isStatus(err, http.StatusNotFound) {
		return rollout.Instance{ID: id, Phase: rollout.Gone}, nil
	}
	return instance(i), err
}

// Upload implements rollout.Fleet.
func (f *Fleet) Upload(ctx context.Context, p rollout.Package) error {
	return f.call(ctx, request{
		method: http.MethodPut, path: "/v1/packages/" + url.PathEscape(p.Name), open: p.Open, length: p.Bytes,
		header: http.Header{
			"Content-Type": {"application/gzip"},
			"Repr-Digest":  {"sha-256=:" + base64.StdEncoding.EncodeToString(p.SHA256[:]) + ":"},
		},
	})
}

// Resize implements rollout.Fleet.
func (f *Fleet) Resize(ctx context.Context, size int) error {
	return f.call(ctx, request{method: http.MethodPut, path: "/v1/size", body: map[string]int{"size": size}})
}

// Lease implements rollout.Fleet.
func (f *Fleet) Lease(ctx context.Context, holder string, lasts time.Duration) (rollout.Lease, error) {
	var given fleet.LeaseAnswer
	err := f.call(ctx, request{
		// Asked twice it would be refused for the sake of its own first try.
		method: http.MethodPost, path: "/v1/roll", once: true, into: &given,
		body: map[string]any{"holder": holder, "seconds": lasts.Seconds()},
	})
	if isStatus(err, http.StatusConflict) {
		return nil, fmt.Errorf("%w: %w", rollout.ErrHeld, err)
	}
	if err != nil {
		return nil, err
	}
	return &lease{fleet: f, id: given.ID}, nil
}

// lease is one that was given.
type lease struct {
	fleet *Fleet
	id    string
}

// call asks in the name of the lease; 409 says that it is not in force.
func (l *lease) call(ctx context.Context, r request) error {
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Set(fleet.LeaseHeader, l.id)
	err := l.fleet.call(ctx, r)
	if isStatus(err, http.StatusConflict) {
		return fmt.Errorf("%w: %w", rollout.ErrLost, err)
	}
	return err
}

func (l *lease) Launch(ctx context.Context, r rollout.Release) (string, error) {
	var i fleet.Instance
	err := l.call(ctx, request{method: http.MethodPost, path: "/v1/instances", once: true, body: fleet.Release(r), into: &i})
	return i.ID, err
}

func (l *lease) Retire(ctx context.Context, id string, now bool) error {
	path := "/v1/instances/" + url.PathEscape(id)
	ask := request{method: http.MethodDelete, path: path}
	if now {
		ask.query = url.Values{"now": {"true"}}
	}
	err := l.call(ctx, ask)
	for err == nil {
		var i rollout.Instance
		if i, err = l.fleet.Instance(ctx, id); err == nil && i.Phase == rollout.Gone {
			return nil
		}
		if err == nil {
			err = wait(ctx, 200*time.Millisecond)
		}
	}
	if isStatus(err, http.StatusNotFound) {
		return nil
	}
	return err
}

func (l *lease) Commit(ctx context.Context, r rollout.Release) error {
	return l.call(ctx, request{method: http.MethodPut, path: "/v1/release", body: fleet.Release(r)})
}

func (l *lease) Renew(ctx context.Context, lasts time.Duration) error {
	return l.call(ctx, request{method: http.MethodPut, path: "/v1/roll", body: map[string]float64{"seconds": lasts.Seconds()}})
}

func (l *lease) End(ctx context.Context) error {
	err := l.call(ctx, request{method: http.MethodDelete, path: "/v1/roll"})
	if errors.Is(err, rollout.ErrLost) {
		return nil
	}
	return err
}

func release(r *fleet.Release) *rollout.Release {
	if r == nil {
		return nil
	}
	same := rollout.Release(*r)
	return &same
}

func instance(i fleet.Instance) rollout.Instance {
	phases := map[string]rollout.Phase{
		fleet.Starting: rollout.Starting, fleet.Running: rollout.Running,
		fleet.Draining: rollout.Draining, fleet.Ended: rollout.Gone,
	}
	return rollout.Instance{
		ID: i.ID, Release: rollout.Release(i.Release), Phase: phases[i.State],
		Ready: i.Ready, Reason: i.Reason, Log: i.Log,
	}
}
