package concourse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
)

// vaultAddress is where the web node looks up what a pipeline leaves as ((name)),
// in Concourse's own network.
const vaultAddress = "127.0.0.1:8200"

// Secrets gives the pipelines of a team credentials that their configuration
// does not hold: a ((name)) that nobody filled in is looked up here when a build
// runs, and kept out of its log. They are forgotten with Close. Of several
// processes that share one Concourse only the first may give it any.
func (s *Server) Secrets(ctx context.Context, team string, values map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("concourse: %s was closed", s.dir)
	}
	if s.vault == nil {
		listener, err := s.network.listen(ctx, vaultAddress)
		if err != nil {
			return fmt.Errorf("concourse: serve secrets: %w", err)
		}
		s.vault = serveVault(listener, s.password)
	}
	s.vault.put(team, values)
	return nil
}

// vault answers the two questions that Concourse asks of HashiCorp's Vault, whose
// first version of a key-value store it is
// (https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v1).
type vault struct {
	token  string
	server *http.Server
	ended  chan struct{}

	mu     sync.Mutex
	values map[string]string // by TEAM/NAME
}

func serveVault(listener net.Listener, token string) *vault {
	v := &vault{token: token, ended: make(chan struct{}), values: map[string]string{}}
	v.server = &http.Server{Handler: v}
	go func() {
		defer close(v.ended)
		_ = v.server.Serve(listener) // ends with close
	}()
	return v
}

func (v *vault) put(team string, values map[string]string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for name, value := range values {
		v.values[team+"/"+name] = value
	}
}

// ServeHTTP answers /v1/concourse/TEAM/NAME. What is asked of a pipeline's own,
// of mounts and of leases is not there, and Concourse goes on without.
func (v *vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/concourse/")
	v.mu.Lock()
	value, there := v.values[path]
	v.mu.Unlock()
	switch {
	case r.Header.Get("X-Vault-Token") != v.token:
		refuse(w, http.StatusForbidden, "permission denied")
	case strings.HasPrefix(r.URL.Path, "/v1/auth/token/renew-self"):
		refuse(w, http.StatusBadRequest, "the lease is not renewable")
	case r.Method != http.MethodGet || !ok || !there:
		refuse(w, http.StatusNotFound)
	default:
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]string{"value": value}})
	}
}

func refuse(w http.ResponseWriter, status int, errs ...string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": append([]string{}, errs...)})
}

func (v *vault) close() error {
	if v == nil {
		return nil
	}
	err := v.server.Close()
	<-v.ended
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
