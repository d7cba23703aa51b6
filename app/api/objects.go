package api

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"bogops/app/admit"
	"bogops/app/store"
)

// objects serves the objects of a store, one method per call of the contract.
type objects struct {
	store   store.Store
	gate    *admit.Gate
	limits  Limits
	buffers *buffers
}

func newObjects(s store.Store, gate *admit.Gate, limits Limits) *objects {
	return &objects{newQueued(s, gate), gate, limits, newBuffers()}
}

// stored is the JSON that describes an object.
type stored struct {
	Key         string    `json:"key"`
	Size        int64     `json:"size"`
	ETag        string    `json:"etag"`
	ContentType string    `json:"content_type"`
	Modified    time.Time `json:"modified"`
}

func describe(info store.Info) stored {
	return stored{info.Key, info.Size, info.ETag, info.ContentType, info.Modified.UTC()}
}

// put checks all that can be checked without the body first: a client that
// sent Expect: 100-continue is refused before it has sent a byte of it.
func (o *objects) put(c *gin.Context) error {
	r := c.Request
	key, err := requestKey(c)
	if err != nil {
		return err
	}
	opts, err := o.putOptions(r, key)
	if err != nil {
		return err
	}
	body := newPatientBody(c, o.limits.Patience)
	info, err := o.store.Put(r.Context(), key, body, opts)
	if err != nil {
		return cmp.Or(body.failure, err)
	}
	status := http.StatusCreated
	if info.Replaced {
		status = http.StatusOK
	}
	c.Header("ETag", info.ETag)
	c.Header("Location", location(info.Key))
	c.PureJSON(status, describe(info))
	return nil
}

func (o *objects) putOptions(r *http.Request, key string) (store.PutOptions, error) {
	if err := refuseProcess(r.URL.RawQuery, "; one is stored as it is sent"); err != nil {
		return store.PutOptions{}, err
	}
	opts := store.PutOptions{Size: r.ContentLength, MaxSize: o.limits.Object, ContentType: "application/octet-stream"}
	if sent := r.Header.Get("Content-Type"); sent != "" {
		if err := checkContentType(sent); err != nil {
			return opts, err
		}
		opts.ContentType = sent
	}
	cond, err := parseConditions(r)
	if err != nil {
		return opts, err
	}
	if r.ContentLength > o.limits.Object {
		return opts, refuse(errTooLarge, "The body is %d bytes long; this platform takes at most %d.", r.ContentLength, o.limits.Object)
	}
	opts.IfAbsent = cond.ifAbsent
	opts.IfMatch, err = o.resolveMatch(r.Context(), key, cond.ifMatch)
	return opts, err
}

// checkContentType keeps a media type to what can be sent back unchanged in a
// header and in JSON.
func checkContentType(sent string) error {
	if len(sent) > 255 {
		return refuse(errBadRequest, "Content-Type is %d bytes long; want at most 255.", len(sent))
	}
	if strings.ContainsFunc(sent, func(r rune) bool { return r < ' ' || r > '~' }) {
		return refuse(errBadRequest, "Content-Type holds a character that is not visible ASCII.")
	}
	return nil
}

// delete answers 204 also where there was nothing: see store.Store.
func (o *objects) delete(c *gin.Context) error {
	key, err := requestKey(c)
	if err != nil {
		return err
	}
	if err := refuseProcess(c.Request.URL.RawQuery, ""); err != nil {
		return err
	}
	cond, err := parseConditions(c.Request)
	if err != nil {
		return err
	}
	ifMatch, err := o.resolveMatch(c.Request.Context(), key, cond.ifMatch)
	if err != nil {
		return err
	}
	if err := o.store.Delete(c.Request.Context(), key, ifMatch); err != nil {
		return err
	}
	return answerEmpty(c, http.StatusNoContent)
}

func requestKey(c *gin.Context) (string, error) {
	return parseKey(strings.TrimPrefix(c.Param("key"), "/"))
}
