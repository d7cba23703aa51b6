package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

// versions tries each old version alone. A refusal may be an alert or a closed
// connection; silence is neither.
func versions(ctx context.Context, s *Session) (string, error) {
	state, err := s.served(ctx)
	if err != nil {
		return "", err
	}
	host, _ := s.Target.Host()
	for _, old := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		_, err := s.client.Handshake(ctx, target.Hello{ServerName: host, Min: old, Max: old})
		if err == nil {
			return "", verdict.Wrong("A handshake in "+tls.VersionName(old), "accepted", "refused")
		}
		var failure *target.Failure
		if errors.As(err, &failure) && failure.Kind != target.NotSpoken && failure.Kind != target.Reset {
			return "", err
		}
	}
	return tls.VersionName(state.Version) + ", nothing before TLS 1.2", nil
}

// addresses shakes hands with every address of the name. Where the name itself
// leads to a wrong certificate other checks say so; here all are alike.
func addresses(ctx context.Context, s *Session) (string, error) {
	all, err := s.Target.Addresses(ctx)
	if err != nil {
		return "", err
	}
	host, _ := s.Target.Host()
	first, err := s.served(ctx)
	if err != nil {
		return "", err
	}
	for _, address := range all {
		state, err := s.client.Handshake(ctx, target.Hello{Address: address, ServerName: host})
		if err != nil {
			return "", err
		}
		if s.right(first, host) == nil && s.right(state, host) != nil {
			return "", verdict.Wrong("The certificate at "+address, s.right(state, host).Error(), "one that is right for "+host)
		}
	}
	return fmt.Sprintf("%d of %[1]d address(es) serve it", len(all)), nil
}

func (s *Session) right(state tls.ConnectionState, host string) error {
	if err := state.PeerCertificates[0].VerifyHostname(host); err != nil {
		return err
	}
	return s.trusted(state)
}

func noSNI(ctx context.Context, s *Session) (string, error) {
	with, err := s.served(ctx)
	if err != nil {
		return "", err
	}
	without, err := s.client.Handshake(ctx, target.Hello{})
	var failure *target.Failure
	if errors.As(err, &failure) && failure.Kind == target.NotSpoken {
		return "", verdict.Wrong("A handshake without SNI", short(failure.Err.Error()), "the first name's certificate")
	}
	if err != nil {
		return "", err
	}
	own, shown := names(with.PeerCertificates[0]), names(without.PeerCertificates[0])
	if !slices.ContainsFunc(shown, func(name string) bool { return slices.Contains(own, name) }) {
		return "", verdict.Wrong("The certificate shown without SNI", quoted(strings.Join(shown, ", ")), "one for "+strings.Join(own, ", "))
	}
	return "the same certificate without SNI", nil
}

func redirect(ctx context.Context, s *Session) (string, error) {
	plain := target.NewClient(s.Target.Plain())
	defer plain.Close()
	defer func() { s.also = append(s.also, plain.Exchanges()...) }()
	for _, path := range []string{"/", objects(s.Key(s.Word(6)+" é")) + "?process=sha256"} {
		reply, err := plain.Do(ctx, target.Request{
			Method: http.MethodGet, Path: path, Header: http.Header{"User-Agent": {s.userAgent()}}, Fresh: true,
		})
		if err != nil {
			return "", err
		}
		what := "GET of http://" + s.Target.Plain().URL.Host + short(path)
		if err := wantStatus(reply, what, 308, 301); err != nil {
			return "", err
		}
		if location := reply.Header.Get("Location"); !s.secures(location, path) {
			return "", verdict.Wrong("Location of "+what, quoted(location), "https://"+s.Target.URL.Host+path)
		}
	}
	return "plain HTTP redirects to the same path over HTTPS", nil
}

// secures tells whether location is the same path over HTTPS at our own host.
func (s *Session) secures(location, path string) bool {
	to, err := url.Parse(location)
	if err != nil || to.Scheme != "https" {
		return false
	}
	same, err := url.Parse(path)
	if to.Path == "" {
		to.Path = "/"
	}
	if err != nil || to.Path != same.Path || to.RawQuery != same.RawQuery {
		return false
	}
	port := to.Port()
	if port == "" {
		port = "443"
	}
	host, ownPort := s.Target.Host()
	return strings.EqualFold(net.JoinHostPort(to.Hostname(), port), net.JoinHostPort(host, ownPort))
}
