package load

import (
	"errors"
	"io"
	"net"
	"strings"

	"bogops/validator/target"
)

// failure names, as journal.Load.Errors does, why a request got no whole
// answer. Nothing stands for the judge's own fault, as everything does that
// nobody has classified.
func failure(err error) string {
	switch target.KindOf(err) {
	case target.Refused, target.Unreachable, target.NoSuchName, target.Untrusted:
		return "refused"
	case target.Reset, target.Cut:
		return "reset"
	case target.TimedOut:
		return "timeout"
	case target.NotSpoken:
		return "wrong"
	case target.Own:
		if closedByPeer(err) {
			return "reset"
		}
	}
	return ""
}

// closedByPeer recognises an end of the connection that net/http words itself.
func closedByPeer(err error) bool {
	if errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) {
		return true
	}
	for _, text := range []string{"server closed idle connection", "transport connection broken", "connection reset"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}
