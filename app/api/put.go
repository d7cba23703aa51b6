package api

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"bogops/app/store"
)

// put checks all that can be checked without the body first: a client that
// sent Expect: 100-continue is refused before it has sent a byte of it.
func (o *objects) put(c *gin.Context) error {
	r := c.Request
	key, err := requestKey(c)
	if err != nil {
		return err
	}
	up, err := parseUpload(r, o.limits.Object)
	if err != nil {
		return err
	}
	if up.opts.IfMatch, err = o.resolveMatch(r.Context(), key, up.ifMatch); err != nil {
		return err
	}
	body := newPatientBody(c, o.limits.Patience)
	checked := newHashed(body, up.sha512)
	info, err := o.store.Put(r.Context(), key, checked, up.opts)
	if err != nil {
		// Why the body failed; the store only knows that it did.
		return cmp.Or(body.failure, checked.failure, err)
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

// upload is what a PUT says before its body.
type upload struct {
	opts    store.PutOptions // without IfMatch, which takes a look at the object
	ifMatch []string
	sha512  []byte
}

func parseUpload(r *http.Request, limit int64) (upload, error) {
	up := upload{opts: store.PutOptions{Size: r.ContentLength, MaxSize: limit, ContentType: "application/octet-stream"}}
	if err := refuseProcess(r.URL.RawQuery, "; one is stored as it is sent"); err != nil {
		return up, err
	}
	if sent := r.Header.Get("Content-Type"); sent != "" {
		if err := checkContentType(sent); err != nil {
			return up, err
		}
		up.opts.ContentType = sent
	}
	cond, err := parseConditions(r)
	if err != nil {
		return up, err
	}
	up.opts.IfAbsent, up.ifMatch = cond.ifAbsent, cond.ifMatch
	sums, err := parseDigests(r.Header)
	if err != nil {
		return up, err
	}
	up.opts.SHA256, up.sha512 = sums.sha256, sums.sha512
	if up.opts.Meta, err = parseMeta(r.Header); err != nil {
		return up, err
	}
	if r.ContentLength > limit {
		return up, refuse(errTooLarge, "The body is %d bytes long; this platform takes at most %d.", r.ContentLength, limit)
	}
	return up, nil
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
