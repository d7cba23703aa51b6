package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"bogops/app/admit"
	"bogops/app/store"
	"bogops/app/telemetry"
)

// objects serves the objects of a store, one method per call of the contract.
type objects struct {
	store     store.Store
	gate      *admit.Gate
	limits    Limits
	telemetry *telemetry.Telemetry
}

func newObjects(cfg Config) *objects {
	return &objects{newQueued(cfg.Store, cfg.Gate), cfg.Gate, cfg.Limits, cfg.Telemetry}
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
