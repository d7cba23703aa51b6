package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// The contract's version that this server implements, and up to which level.
const (
	Contract = "1"
	Level    = "silver"
)

// Description is what the platform says of itself (CHALLENGE.md, section 3).
type Description struct {
	Team       string            `json:"team"`
	Contest    string            `json:"contest"`
	Contract   string            `json:"contract"`
	Level      string            `json:"level"`
	Version    string            `json:"version"`
	DeployedAt time.Time         `json:"deployed_at"`
	Instance   string            `json:"instance"`
	StartedAt  time.Time         `json:"started_at"`
	Zone       string            `json:"zone"`
	Store      string            `json:"store"`
	StoreState string            `json:"store_state"`
	Limits     DescriptionLimits `json:"limits"`
}

// DescriptionLimits are the published limits, in bytes.
type DescriptionLimits struct {
	Object  int64 `json:"object_bytes"`
	Process int64 `json:"process_bytes"`
}

// self answers what is asked about the server and not about objects.
type self struct {
	describe func() Description
	ready    func(context.Context) error
}

func (s self) description(c *gin.Context) error {
	c.Header("Cache-Control", "no-store")
	c.PureJSON(http.StatusOK, s.describe())
	return nil
}

func (s self) alive(c *gin.Context) error { return answerOK(c) }

func (s self) readiness(c *gin.Context) error {
	if s.ready != nil {
		if err := s.ready(c.Request.Context()); err != nil {
			return refuse(errNotReady, "Not ready: %s.", err)
		}
	}
	return answerOK(c)
}

func answerOK(c *gin.Context) error {
	c.Header("Cache-Control", "no-store")
	c.String(http.StatusOK, "ok\n")
	return nil
}

// describeHeaders says on every answer under /v1 who gave it.
func describeHeaders(describe func() Description) gin.HandlerFunc {
	return func(c *gin.Context) {
		if underV1(c.Request) {
			d := describe()
			c.Header("Bogops-Instance", d.Instance)
			c.Header("Bogops-Version", d.Version)
		}
	}
}
