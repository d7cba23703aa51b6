package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"bogops/validator/ceph"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// forgotten is how long the API may still serve an object that is gone from
// Ceph, on the real day.
const forgotten = 60 * time.Second

// sentinelLooks is how many connections of their own must all be refused the
// bytes: each may reach another instance.
const sentinelLooks = 8

// sentinelPause is between two rounds of looks.
const sentinelPause = 500 * time.Millisecond

// cephSentinel stores an object and proves it in Ceph, reads it so that whoever
// caches has it, has the organiser remove it inside Ceph and asks until nobody
// serves it.
func cephSentinel(ctx context.Context, s *Session) (string, error) {
	cluster := s.ceph()
	if cluster.Remove == nil {
		return "", verdict.New(verdict.NotInPlay, "No sentinel was agreed", "no command that removes an object inside Ceph", "one, with the organiser's own key")
	}
	key, body := cluster.Sentinel, s.Bytes(roundtripBytes)
	if key == "" {
		key = s.Key(s.Word(12))
	}
	tag, err := s.storeTag(ctx, key, body)
	if err != nil {
		return "", err
	}
	claim, _, err := s.provenInCeph(ctx, key, tag, body)
	if err != nil {
		return "", err
	}
	if err := s.servedAtAll(ctx, key, body); err != nil {
		return "", err
	}
	// What was proven is removed, and not what a second answer may name.
	for _, o := range claim.Objects() {
		if err := s.removed(ctx, o); err != nil {
			return "", err
		}
	}
	s.note("removed", claim.Objects())
	return s.awaitForgotten(ctx, key, body)
}

// removed removes o inside Ceph. A hand that fails is the judge's own fault,
// unless the object is no longer where it was just read: then the team took it
// away, and nothing is shown.
func (s *Session) removed(ctx context.Context, o ceph.Object) error {
	cluster := s.ceph()
	failed := cluster.Remove(ctx, o)
	if failed == nil {
		return nil
	}
	if _, err := cluster.Read(ctx, o, 0, 1); errors.Is(err, ceph.ErrNotFound) {
		return ceph.Unproven(o.String()+" went before it could be removed", "the object where it was just read")
	}
	return verdict.New(verdict.JudgeError, "The organiser's hand did not remove the object", failed.Error(), o.String()+" gone from Ceph")
}

// servedAtAll warms the caches.
func (s *Session) servedAtAll(ctx context.Context, key string, body []byte) error {
	for range sentinelLooks {
		if err := s.holds(ctx, key, "before its removal", body); err != nil {
			return err
		}
	}
	return nil
}

// awaitForgotten wants a whole round of looks without the bytes before the time
// is over. Early is as good as late: a cache only loses what Ceph no longer has.
func (s *Session) awaitForgotten(ctx context.Context, key string, body []byte) (string, error) {
	allowed := time.Duration(float64(forgotten) * s.Env.TimeScale)
	begin := time.Now()
	for {
		began := time.Since(begin)
		served, err := s.looks(ctx, key, body)
		if err != nil {
			return "", err
		}
		if served == 0 {
			return fmt.Sprintf("no longer served %.1f s after its removal inside Ceph", time.Since(begin).Seconds()), nil
		}
		if began >= allowed {
			return "", verdict.Wrong(fmt.Sprintf("GET %.0f s after the object was removed inside Ceph", began.Seconds()),
				fmt.Sprintf("its bytes, from %d of %d connections", served, sentinelLooks), "404 or 5xx: no shadow store")
		}
		pause(ctx, min(sentinelPause, allowed-began))
	}
}

// looks counts the connections that still serve the bytes. An answer with other
// bytes is wrong at once. One that sheds load serves nothing, as 429 or as 503.
func (s *Session) looks(ctx context.Context, key string, body []byte) (served int, err error) {
	for range sentinelLooks {
		reply, err := s.Get(ctx, key)
		if err != nil {
			return served, err
		}
		switch {
		case reply.Status == 404 || reply.Status == 429 || reply.Status >= 500:
		case reply.Status == 200 && bytes.Equal(reply.Body, body):
			served++
		default:
			return served, wantGone(reply)
		}
	}
	return served, nil
}

func wantGone(reply *target.Reply) error {
	return verdict.Wrong("GET of an object that was removed inside Ceph", fmt.Sprintf("%d with %s", reply.Status, size(len(reply.Body))), "404 or 5xx")
}
