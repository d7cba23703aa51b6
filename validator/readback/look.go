package readback

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"bogops/validator/ceph"
	"bogops/validator/ledger"
	"bogops/validator/load/content"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// awaitHome asks for the self-description until it says primary or the window
// is over. A platform that does not answer is not home either.
func (r *reading) awaitHome(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, r.Window)
	defer cancel()
	ticker := time.NewTicker(max(50*time.Millisecond, min(time.Second, r.Window/50)))
	defer ticker.Stop()
	for !r.home(ctx) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (r *reading) home(ctx context.Context) bool {
	reply, err := r.client.Do(ctx, target.Request{Method: http.MethodGet, Path: "/.well-known/bogops.json", Fresh: true})
	if err != nil || reply.Status != http.StatusOK {
		return false
	}
	var told struct {
		State string `json:"store_state"`
	}
	return json.Unmarshal(reply.Body, &told) == nil && told.State == "primary"
}

// look asks where key lies, and reads it there.
func (r *reading) look(ctx context.Context, key string) Sample {
	s := Sample{Key: key}
	fail := func(err error) Sample {
		s.Status, s.Why = verdict.Of(err), err.Error()
		return s
	}
	if r.blind != nil {
		return fail(r.blind)
	}
	reply, err := r.client.Do(ctx, target.Request{Method: http.MethodGet, Path: "/v1/evidence/" + escaped(key), Token: r.Target.Token})
	if err != nil {
		return fail(r.Target.Settle(ctx, err))
	}
	if s.Claim, err = ceph.ClaimIn(reply); err != nil {
		return fail(err)
	}
	if why := r.Ceph.Elsewhere(s.Claim, r.fsid); why != "" {
		return fail(ceph.Unproven(why, "pieces in the Ceph that the judge was given"))
	}
	reading := r.Ledger.Read(key)
	var expected []content.Object
	for _, v := range reading.Lawful() {
		expected = append(expected, content.Object{Key: key, Version: v.Number, Size: v.Size})
	}
	found, err := r.Plan.Content().Identify(key, expected, r.Ceph.Body(ctx, s.Claim))
	if err != nil {
		return fail(ceph.Settle(ctx, r.Target, err, "the bytes of the object, in Ceph"))
	}
	s.Found = found.String()
	if found.Kind != content.Whole || reading.Judge(found.Object.Version) != ledger.Right {
		return fail(verdict.New(verdict.Corrupt, "Other bytes in Ceph than were acknowledged", s.Found, "a version that was acknowledged"))
	}
	s.Status = verdict.OK
	return s
}

// escaped is a key of the load on the wire: each segment by itself.
func escaped(key string) string {
	segments := strings.Split(key, "/")
	for i, segment := range segments {
		segments[i] = url.PathEscape(segment)
	}
	return strings.Join(segments, "/")
}
