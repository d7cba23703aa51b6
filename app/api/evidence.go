package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"bogops/app/admit"
	"bogops/app/store"
)

// located is the JSON that says where the bytes of an object lie (CHALLENGE.md,
// section 3). The parts for the other kinds of store are left out whole.
type located struct {
	Store string `json:"store"`
	ETag  string `json:"etag"`
	Size  int64  `json:"size"`
	*inCeph
	*inBucket
}

// inCeph is always told in full: an empty namespace is one, and an empty
// object lies in no piece.
type inCeph struct {
	FSID      string  `json:"fsid"`
	Pool      string  `json:"pool"`
	Namespace string  `json:"namespace"`
	Pieces    []piece `json:"pieces"`
}

type inBucket struct {
	Bucket string `json:"bucket"`
	Object string `json:"object"`
}

type piece struct {
	Name   string `json:"name"`
	At     int64  `json:"at"`
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
}

func describeLocation(at store.Location) located {
	l := located{Store: at.Kind, ETag: at.ETag, Size: at.Size}
	if at.Kind == "ceph" {
		l.inCeph = &inCeph{at.FSID, at.Pool, at.Namespace, make([]piece, 0, len(at.Pieces))}
		for _, p := range at.Pieces {
			l.Pieces = append(l.Pieces, piece(p))
		}
	}
	if at.Bucket != "" {
		l.inBucket = &inBucket{at.Bucket, at.Object}
	}
	return l
}

// evidence answers where objects lie. It waits for its turn at the store as a
// read does.
type evidence struct {
	locate func(ctx context.Context, key string) (store.Location, error)
	gate   *admit.Gate
}

func (e evidence) get(c *gin.Context) error {
	key, err := requestKey(c)
	if err != nil {
		return err
	}
	if err := refuseProcess(c.Request.URL.RawQuery, ""); err != nil {
		return err
	}
	at, err := e.find(c.Request.Context(), key)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	c.PureJSON(http.StatusOK, describeLocation(at))
	return nil
}

func (e evidence) find(ctx context.Context, key string) (store.Location, error) {
	turn, err := e.gate.Turn(ctx, usualWeight)
	if err != nil {
		return store.Location{}, err
	}
	defer turn.Done(true)
	return e.locate(ctx, key)
}
