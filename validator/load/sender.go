package load

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"bogops/validator/ledger"
	"bogops/validator/load/content"
	"bogops/validator/oracle"
)

// sender sends single requests and judges their answers.
type sender struct {
	Config
	lanes   *lanes
	replays atomic.Int64 // requests that the transport sent again by itself
	fresh   atomic.Int64 // connections made
}

func newSender(c Config, l *lanes) *sender { return &sender{Config: c, lanes: l} }

// result is what became of one arrival.
type result struct {
	kind        string // of the error, as in journal.Load.Errors; empty: right
	right       bool
	acked       bool
	unsent      bool
	latency     time.Duration // from the due time, of a right answer
	lag         time.Duration
	lagged      bool // lag was measured
	instance    string
	detail      string // what was wrong: stale, lost, corrupt, status
	substituted bool
}

func unserved() result { return result{kind: "unserved"} }

// nothing is a settle that has nothing to do.
func nothing() error { return nil }

// send sends a and reads the whole answer. What must still happen before the
// result counts is in settle, which may wait for a disk; its error is ours.
func (s *sender) send(ctx context.Context, a Arrival, due time.Time) (res result, settle func() error) {
	if a.Op == Put {
		return s.put(ctx, a, due)
	}
	want := content.Object{Key: a.Key, Size: a.Size}
	if !a.Absent && !s.Ledger.Has(a.Key) {
		standIn, ok := s.standIn(a.N)
		if !ok {
			return unserved(), nothing
		}
		want, res.substituted = standIn, true
		if a.Op == Process {
			a.Chain = oracle.Draw(s.Plan.source(forStandIn, a.N), "bronze", want.Size)
		}
	}
	got := s.get(ctx, a, want.Key, due)
	got.substituted = res.substituted
	return got, nothing
}

// standIn is the first acknowledged object among those that may stand in.
func (s *sender) standIn(n int) (content.Object, bool) {
	for i := range s.Plan.Loaded() {
		if o := s.Plan.StandIn(n, i); s.Ledger.Has(o.Key) {
			return o, true
		}
	}
	return content.Object{}, false
}

// put writes a version. It is in the ledger before it is sent.
func (s *sender) put(ctx context.Context, a Arrival, due time.Time) (res result, settle func() error) {
	id, err := s.Ledger.Begin(a.Key, a.Version, a.Size)
	if err != nil {
		return result{unsent: true}, func() error { return err }
	}
	body := s.Plan.content.Reader(content.Object{Key: a.Key, Version: a.Version, Size: a.Size})
	x := s.exchange(ctx, a, http.MethodPut, s.url(a.Key, ""), body, due)
	defer x.close()
	outcome := ledger.Maybe
	switch {
	case x.err != nil && !x.wrote.Load():
		outcome = ledger.Never
	case x.err != nil:
	case x.status == http.StatusOK || x.status == http.StatusCreated:
		if x.drain(); x.err == nil {
			outcome = ledger.Acknowledged
		}
	case slices.Contains(refusals, x.status):
		outcome = ledger.Never
	}
	res = x.result()
	res.acked = outcome == ledger.Acknowledged
	return res, func() error { return s.Ledger.End(id, outcome) }
}

// refusals are the statuses by which the contract refuses a PUT that then has
// no effect. Any other status but success leaves the outcome open.
var refusals = []int{400, 401, 403, 404, 405, 411, 412, 413, 429}

// get reads key, whole or processed, and judges the answer by the ledger.
func (s *sender) get(ctx context.Context, a Arrival, key string, due time.Time) result {
	query := ""
	if a.Op == Process {
		query = "process=" + a.Chain
	}
	reading := s.Ledger.Read(key)
	x := s.exchange(ctx, a, http.MethodGet, s.url(key, query), nil, due)
	defer x.close()
	switch {
	case x.err != nil:
	case x.status == http.StatusNotFound:
		x.drain()
		x.judge(reading.Judge(0))
	case x.status == http.StatusOK && a.Op == Process:
		s.processed(x, a.Chain, key, reading)
	case x.status == http.StatusOK:
		found, err := s.Plan.content.Identify(key, objects(key, reading.Lawful()), x.response.Body)
		x.finish(err)
		if found.Kind != content.Whole {
			x.detail = "corrupt"
		} else {
			x.judge(reading.Judge(found.Object.Version))
		}
	}
	return x.result()
}

// processed compares with what the oracle makes of every lawful version, and
// then of those that would be stale.
func (s *sender) processed(x *exchange, chain, key string, reading ledger.Reading) {
	body, err := io.ReadAll(io.LimitReader(x.response.Body, 2*oracle.Whole+1024))
	x.finish(err)
	if err != nil {
		return
	}
	gives := func(o content.Object) bool {
		want, err := oracle.ApplyTo(chain, o.Size, func(offset, length int64) []byte {
			return s.Plan.content.Part(o, offset, length)
		})
		return err == nil && o.Version != 0 && string(want) == string(body)
	}
	switch {
	case slices.ContainsFunc(objects(key, reading.Lawful()), gives):
		x.judge(ledger.Right)
	case slices.ContainsFunc(objects(key, reading.Past()), gives):
		x.judge(ledger.Stale)
	default:
		x.detail = "corrupt"
	}
}

func objects(key string, versions []ledger.Version) []content.Object {
	list := make([]content.Object, 0, len(versions))
	for _, v := range versions {
		list = append(list, content.Object{Key: key, Version: v.Number, Size: v.Size})
	}
	return list
}

func (s *sender) url(key, query string) *url.URL {
	u := *s.Target.URL
	u.Path = strings.TrimSuffix(u.Path, "/") + "/v1/objects/" + key
	u.RawQuery = query
	return &u
}
