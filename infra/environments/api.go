package environments

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Handler is the service's API. It asks for the token as a bearer token, and
// answers in lines of text, so that a script needs nothing but curl:
//
//	GET    /v1/environments               their names, one a line
//	PUT    /v1/environments/NAME          makes it; 200 where it is there already
//	DELETE /v1/environments/NAME          removes it, and all that is in it
//	       /v1/environments/NAME/fleet/…  the control API of its fleet
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/environments", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		names := slices.Sorted(maps.Keys(s.all))
		s.mu.Unlock()
		for _, name := range names {
			fmt.Fprintln(w, name)
		}
	})
	mux.HandleFunc("PUT /v1/environments/{name}", func(w http.ResponseWriter, r *http.Request) {
		e, fresh, err := s.put(r.Context(), r.PathValue("name"))
		if err != nil {
			fail(w, err)
			return
		}
		if fresh {
			w.WriteHeader(http.StatusCreated)
		}
		fmt.Fprintf(w, "environment %s: HTTPS at %s, HTTP at %s\n", e.name, e.tls, e.http)
	})
	mux.HandleFunc("DELETE /v1/environments/{name}", func(w http.ResponseWriter, r *http.Request) {
		if err := s.remove(r.PathValue("name")); err != nil {
			fail(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("/v1/environments/{name}/fleet/", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		e := s.get(name)
		if e == nil {
			fail(w, fmt.Errorf("environment %.60q: %w", name, errNone))
			return
		}
		http.StripPrefix("/v1/environments/"+name+"/fleet", e.fleet.Handler()).ServeHTTP(w, r)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.admits(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "want the service's token as a bearer token", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// admits compares digests, which have one length whatever was sent.
func (s *Service) admits(r *http.Request) bool {
	given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	have, want := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.o.Token))
	return subtle.ConstantTimeCompare(have[:], want[:]) == 1
}

func fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	for _, known := range []struct {
		err    error
		status int
	}{
		{errName, http.StatusUnprocessableEntity},
		{errFull, http.StatusConflict},
		{errNone, http.StatusNotFound},
	} {
		if errors.Is(err, known.err) {
			status = known.status
		}
	}
	http.Error(w, err.Error(), status)
}
