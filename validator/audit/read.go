package audit

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"bogops/validator/ledger"
	"bogops/validator/load/content"
	"bogops/validator/target"
)

// The classes of an object.
const (
	classOK           = "ok"
	classStale        = "stale"        // a version that an acknowledged write has replaced
	classLost         = "lost"         // not there, or no answer while the witness answers
	classCorrupt      = "corrupt"      // bytes that are no lawful version
	classUnreachable  = "unreachable"  // no answer, and none from the witness
	classInconclusive = "inconclusive" // the judge's own fault
)

// try is what one read of an object gave: one of the classes, of which those
// that a later try may still change are missing, silent and inconclusive.
type try struct {
	outcome string
	got     string
	witness bool // a silent one: the witness answered then
}

const (
	missing = "missing" // an answer without the object
	silent  = "silent"  // 5xx, or no answer
)

// class is what the tries come to; empty while another one is due.
func (o *object) class(last bool) string {
	latest := o.tries[len(o.tries)-1]
	switch latest.outcome {
	case classOK, classStale, classCorrupt:
		return latest.outcome
	}
	if !last {
		return ""
	}
	absent, witnessed := false, true
	for _, t := range o.tries {
		switch t.outcome {
		case classInconclusive:
			return classInconclusive
		case missing:
			absent = true
		case silent:
			witnessed = witnessed && t.witness
		}
	}
	if absent || witnessed {
		return classLost
	}
	return classUnreachable
}

// read asks for one object and judges the answer.
func (a *audit) read(ctx context.Context, key string) try {
	limited, cancel := context.WithTimeout(ctx, a.timeout())
	defer cancel()
	u := *a.Target.URL
	u.Path = strings.TrimSuffix(u.Path, "/") + "/v1/objects/" + key
	request := (&http.Request{Method: http.MethodGet, URL: &u, Host: u.Host, Header: http.Header{}}).WithContext(limited)
	if a.Target.Token != "" {
		request.Header.Set("Authorization", "Bearer "+a.Target.Token)
	}
	reading := a.Ledger.Read(key)
	response, err := a.transport.RoundTrip(request)
	if err != nil {
		return a.failed(ctx, err)
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusOK:
		return a.judge(ctx, key, reading, response.Body)
	case response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests:
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 4<<10))
		return try{silent, fmt.Sprintf("status %d", response.StatusCode), a.witnessed()}
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 4<<10))
	if response.StatusCode == http.StatusNotFound && reading.Judge(0) == ledger.Right {
		return try{outcome: classOK}
	}
	return try{outcome: missing, got: fmt.Sprintf("status %d", response.StatusCode)}
}

func (a *audit) judge(ctx context.Context, key string, reading ledger.Reading, body io.Reader) try {
	var expected []content.Object
	for _, v := range reading.Lawful() {
		expected = append(expected, content.Object{Key: key, Version: v.Number, Size: v.Size})
	}
	found, err := a.Plan.Content().Identify(key, expected, body)
	if err != nil {
		return a.failed(ctx, err)
	}
	if found.Kind != content.Whole {
		return try{outcome: classCorrupt, got: found.String()}
	}
	switch reading.Judge(found.Object.Version) {
	case ledger.Right:
		return try{outcome: classOK}
	case ledger.Stale:
		return try{outcome: classStale, got: found.String()}
	}
	return try{outcome: classCorrupt, got: found.String() + ", which was never acknowledged or under way"}
}

// failed tells the target's silence from the judge's own fault.
func (a *audit) failed(ctx context.Context, err error) try {
	kind := target.KindOf(err)
	switch kind {
	case target.Own, target.ResolverFailed, target.Cancelled:
		return try{outcome: classInconclusive, got: "the judge's own fault: " + err.Error()}
	}
	if ctx.Err() != nil {
		return try{outcome: classInconclusive, got: "the audit was stopped"}
	}
	return try{silent, "no answer: " + string(kind), a.witnessed()}
}

// witnessed asks for the witness at most once a second.
func (a *audit) witnessed() bool {
	a.asking.Lock()
	defer a.asking.Unlock()
	if now := time.Now(); a.asked.IsZero() || now.Sub(a.asked) >= time.Second {
		a.asked, a.answers = now, a.Witness()
	}
	return a.answers
}

// timeout is 30 s on the day, and shorter in a compressed one.
func (a *audit) timeout() time.Duration {
	return max(2*time.Second, min(30*time.Second, a.Window/20))
}
