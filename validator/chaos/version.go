package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"bogops/validator/target"
)

// VersionOf asks a platform for the version that it describes, over a fresh
// connection each time. Whatever is no whole self-description is an error: the
// platform does not serve there.
func VersionOf(t target.Target) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		client := target.NewClient(t)
		defer client.Close()
		reply, err := client.Do(ctx, target.Request{Method: http.MethodGet, Path: "/.well-known/bogops.json", Fresh: true})
		if err != nil {
			return "", err
		}
		var description struct{ Version string }
		if err := json.Unmarshal(reply.Body, &description); err != nil || reply.Status != http.StatusOK || description.Version == "" {
			return "", fmt.Errorf("the self-description is %d %s, want 200 with a version", reply.Status, reply.Excerpt(80))
		}
		return description.Version, nil
	}
}
