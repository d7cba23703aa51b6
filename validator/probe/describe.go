package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

const wellKnown = "/.well-known/bogops.json"

// The least that a platform must accept.
const (
	leastObject  = 256 << 20
	leastProcess = 64 << 20
)

type selfDescription struct {
	Team       string    `json:"team"`
	Contest    string    `json:"contest"`
	Contract   any       `json:"contract"`
	Level      string    `json:"level"`
	Version    string    `json:"version"`
	DeployedAt time.Time `json:"deployed_at"`
	Instance   string    `json:"instance"`
	StartedAt  time.Time `json:"started_at"`
	Zone       string    `json:"zone"`
	Store      string    `json:"store"`
	StoreState string    `json:"store_state"`
	Limits     *struct {
		ObjectBytes  int64 `json:"object_bytes"`
		ProcessBytes int64 `json:"process_bytes"`
	} `json:"limits"`
}

// fields decodes a JSON object that must have these members, spelled so: the
// decoder itself would take "ETag" for "etag".
func fields(reply *target.Reply, what string, into any, names ...string) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(reply.Body, &members); err != nil {
		return verdict.Wrong("Body of "+what, quoted(reply.Excerpt(100)), "a JSON object")
	}
	for _, name := range names {
		if _, ok := members[name]; !ok {
			return verdict.Wrong(fmt.Sprintf("%s in the body of %s", name, what), "nothing", "that member")
		}
	}
	if err := json.Unmarshal(reply.Body, into); err != nil {
		return verdict.Wrong("Body of "+what, err.Error(), "members as the contract describes them")
	}
	return nil
}

// describe reads the self-description, without a token.
func (s *Session) describe(ctx context.Context) (selfDescription, error) {
	var told selfDescription
	reply, err := s.Do(ctx, target.Request{Method: http.MethodGet, Path: wellKnown, Token: anonymous})
	if err != nil {
		return told, err
	}
	if err := wantStatus(reply, "GET "+wellKnown, 200); err != nil {
		return told, err
	}
	if err := wantType(reply, wellKnown, "application/json"); err != nil {
		return told, err
	}
	return told, fields(reply, wellKnown, &told, "team", "contest", "contract", "level", "version", "deployed_at",
		"instance", "started_at", "zone", "store", "store_state", "limits")
}

func description(ctx context.Context, s *Session) (string, error) {
	told, err := s.describe(ctx)
	if err != nil {
		return "", err
	}
	for _, member := range []struct {
		name string
		ok   bool
		got  string
		want string
	}{
		{"team", told.Team != "", quoted(told.Team), "the team"},
		{"contest", s.consents(told.Contest), quoted(told.Contest), "the contest " + quoted(s.Target.Contest)},
		{"contract", told.Contract != nil && told.Contract != "", spell(told.Contract), "the version of the contract"},
		{"level", slices.Contains([]string{Bronze, Silver, Gold}, told.Level), quoted(told.Level), "bronze, silver or gold"},
		{"version", told.Version != "", quoted(told.Version), "the version deployed"},
		{"deployed_at", inUTC(&told.DeployedAt), told.DeployedAt.String(), "a time in UTC"},
		{"instance", told.Instance != "", quoted(told.Instance), "the running machine"},
		{"started_at", inUTC(&told.StartedAt), told.StartedAt.String(), "a time in UTC"},
		{"zone", told.Zone != "", quoted(told.Zone), "a zone"},
		{"store", slices.Contains([]string{"ceph", "s3", "filesystem"}, told.Store), quoted(told.Store), "ceph, s3 or filesystem"},
		{"store_state", slices.Contains([]string{"primary", "fallback", "reconciling"}, told.StoreState), quoted(told.StoreState), "primary, fallback or reconciling"},
		{"limits", told.Limits != nil, "null", "an object"},
	} {
		if !member.ok {
			return "", verdict.Wrong(member.name+" in the self-description", member.got, member.want)
		}
	}
	if got := told.Limits.ObjectBytes; got < leastObject {
		return "", verdict.Wrong("limits.object_bytes in the self-description", fmt.Sprint(got), "at least 256 MiB")
	}
	if got := told.Limits.ProcessBytes; got < leastProcess {
		return "", verdict.Wrong("limits.process_bytes in the self-description", fmt.Sprint(got), "at least 64 MiB")
	}
	return fmt.Sprintf("%s, version %s, store %s", told.Level, short(told.Version), told.Store), nil
}

// consents tells whether the contest named is ours. Where the judge was given
// none, as by a team that checks itself, any name is a consent.
func (s *Session) consents(contest string) bool {
	if s.Target.Contest == "" {
		return contest != ""
	}
	return contest == s.Target.Contest
}

func health(ctx context.Context, s *Session) (string, error) {
	for _, path := range []string{"/healthz", "/readyz"} {
		reply, err := s.Do(ctx, target.Request{Method: http.MethodGet, Path: path, Token: anonymous})
		if err != nil {
			return "", err
		}
		if err := wantStatus(reply, "GET "+path, 200); err != nil {
			return "", err
		}
	}
	return "alive and ready", nil
}

// requestID looks at the headers of every kind of answer, right ones and
// errors.
func requestID(ctx context.Context, s *Session) (string, error) {
	key := s.Key(s.Word(12))
	put, err := s.Put(ctx, key, s.Bytes(50))
	if err != nil {
		return "", err
	}
	seen := map[string]bool{}
	if err := wantNamed(put, "/v1/objects: PUT", seen); err != nil {
		return "", err
	}
	for _, r := range []target.Request{
		{Method: http.MethodGet, Path: objects(key)},
		{Method: http.MethodHead, Path: objects(key), Fresh: true},
		{Method: http.MethodGet, Path: objects(key) + "?process=sha256"},
		{Method: http.MethodGet, Path: objects(key + "-not")},
		{Method: http.MethodGet, Path: objects(key), Token: anonymous},
		{Method: http.MethodPost, Path: objects(key)},
		{Method: http.MethodDelete, Path: objects(key)},
		{Method: http.MethodGet, Path: wellKnown, Token: anonymous},
	} {
		reply, err := s.Do(ctx, r)
		if err != nil {
			return "", err
		}
		if err := wantNamed(reply, fmt.Sprintf("%s: %s answered %d", r.Path, r.Method, reply.Status), seen); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d answers, each with an id of its own", len(seen)), nil
}

func wantNamed(reply *target.Reply, what string, seen map[string]bool) error {
	id := reply.Header.Get("Request-Id")
	if id == "" {
		return verdict.Wrong("Request-Id of "+short(what), "nothing", "an id")
	}
	if seen[id] {
		return verdict.Wrong("Request-Id of "+short(what), quoted(id)+", seen before", "an id of its own")
	}
	seen[id] = true
	if !strings.HasPrefix(what, "/v1/") {
		return nil
	}
	for _, name := range []string{"Bogops-Instance", "Bogops-Version"} {
		if reply.Header.Get(name) == "" {
			return verdict.Wrong(name+" of "+short(what), "nothing", "the header on every answer under /v1")
		}
	}
	return nil
}
