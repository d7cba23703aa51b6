package target

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// Kind names a way in which a request got no whole answer.
type Kind string

// The kinds of failure.
const (
	Refused        Kind = "refused"         // the machine answered that nothing listens there
	Reset          Kind = "reset"           // the connection was closed before a whole head
	Cut            Kind = "cut"             // the body ended before its announced end
	TimedOut       Kind = "timed out"       // nothing came in time
	NoSuchName     Kind = "no such name"    // the resolver says that the name does not exist
	Unreachable    Kind = "unreachable"     // no route to the address
	Untrusted      Kind = "untrusted"       // the certificate does not verify
	NotSpoken      Kind = "not spoken"      // what came back is not the protocol
	ResolverFailed Kind = "resolver failed" // the judge's resolver gave no answer
	Cancelled      Kind = "cancelled"       // the judge stopped the check
	Own            Kind = "own"             // everything else: ours until somebody classifies it
)

// Failure is a request that got no whole answer. It says what happened, not
// yet whose fault that is: see Target.Settle.
type Failure struct {
	Kind Kind
	What string // the request: GET /v1/objects/a
	Err  error
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %s: %v", f.What, f.Kind, f.Err) }

func (f *Failure) Unwrap() error { return f.Err }

// fail classifies err. It is the only place where network errors get a name.
func fail(what string, err error) *Failure {
	var known *Failure
	if errors.As(err, &known) {
		return known
	}
	return &Failure{Kind: kindOf(err), What: what, Err: err}
}

func kindOf(err error) Kind {
	var name *net.DNSError
	switch {
	case errors.Is(err, context.Canceled):
		return Cancelled
	case errors.As(err, &name) && name.IsNotFound:
		return NoSuchName
	case errors.As(err, &name):
		return ResolverFailed
	}
	if kind, ok := kindOfErrno(err); ok {
		return kind
	}
	if kind, ok := kindOfTLS(err); ok {
		return kind
	}
	var network net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &network) && network.Timeout():
		return TimedOut
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Reset
	case spokenWrongly(err.Error()):
		return NotSpoken
	}
	return Own
}

func kindOfErrno(err error) (Kind, bool) {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return "", false
	}
	switch errno {
	case syscall.ECONNREFUSED:
		return Refused, true
	case syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED:
		return Reset, true
	case syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN:
		return Unreachable, true
	case syscall.ETIMEDOUT:
		return TimedOut, true
	}
	return Own, true // out of descriptors, of ports, of memory, not permitted
}

func kindOfTLS(err error) (Kind, bool) {
	var (
		noRoots    x509.SystemRootsError
		unverified *tls.CertificateVerificationError
		alert      tls.AlertError
		header     tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &noRoots):
		return Own, true
	case errors.As(err, &unverified):
		return Untrusted, true
	case errors.As(err, &alert), errors.As(err, &header):
		return NotSpoken, true
	}
	return "", false
}

// spokenWrongly recognises what net/http and crypto/tls say of an answer that
// breaks the protocol: those errors have no exported type.
func spokenWrongly(text string) bool {
	for _, part := range []string{
		"malformed HTTP", "malformed MIME", "malformed chunked", "invalid byte in chunk", "HTTP response to HTTPS client",
		"response headers exceeded", "remote error: tls:", "tls: ", "unsupported transfer encoding",
		"bad Content-Length", "too many 1xx", "header line too long", "unexpected trailer",
	} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
