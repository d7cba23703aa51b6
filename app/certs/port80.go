package certs

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
)

const challengePath = "/.well-known/acme-challenge/"

// statusError is an error that knows the HTTP status to answer with.
type statusError struct {
	status int
	text   string
}

func (e statusError) Error() string { return e.text }

// challenges answers http-01 (RFC 8555 section 8.3) from origin and leaves all
// else to fallback.
func challenges(from origin, fallback http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, found := strings.CutPrefix(r.URL.Path, challengePath)
		if !found || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
			fallback.ServeHTTP(w, r)
			return
		}
		answer, err := from.challenge(r.Context(), host(r), token)
		if err != nil {
			status := http.StatusServiceUnavailable
			if known := (statusError{}); errors.As(err, &known) {
				status = known.status
			}
			http.Error(w, err.Error(), status)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(answer) // the authority has gone: it will ask again
	})
}

// redirect sends a client to the same place over HTTPS. 308 and not 302: a PUT
// stays a PUT. A host that is none of names, an address for example, is sent to
// the first name, for which there is a certificate.
func redirect(names []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target := host(r)
		if len(names) > 0 && !slices.Contains(names, target) {
			target = names[0]
		}
		if target == "" {
			http.Error(w, "this server speaks HTTPS, and the request names no host to redirect to", http.StatusBadRequest)
			return
		}
		if strings.Contains(target, ":") {
			target = "[" + target + "]" // an IPv6 address
		}
		path := r.URL.RequestURI()
		if !strings.HasPrefix(path, "/") {
			path = "/" // OPTIONS * and CONNECT have no path
		}
		http.Redirect(w, r, "https://"+target+path, http.StatusPermanentRedirect)
	})
}

// host returns the normalised host of r, without its port.
func host(r *http.Request) string {
	name := r.Host
	if h, _, err := net.SplitHostPort(name); err == nil {
		name = h
	}
	name = strings.Trim(name, "[]")
	if ascii, err := hostName(name); err == nil {
		return ascii
	}
	return name
}
