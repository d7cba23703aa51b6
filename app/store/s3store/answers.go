package s3store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"bogops/app/store"
)

// outcome is what is known of a write after one request.
type outcome int

const (
	landed  outcome = iota
	moved           // the server refused the condition: nothing was written
	clashed         // 409: another write was under way
	refused         // nothing was written, and nothing would be
	lost            // the write may have happened, or may happen later
)

// outcomeOf reads the answer to the one request of a write. What the server
// has not refused in words may have been done.
func outcomeOf(err error) outcome {
	if err == nil {
		return landed
	}
	switch status := statusOf(err); {
	case status == http.StatusPreconditionFailed:
		return moved
	case status == http.StatusNotFound && (codeOf(err) == "NoSuchKey" || codeOf(err) == "NotFound"):
		return moved // If-Match where nothing is
	case status == http.StatusConflict:
		return clashed
	case status == http.StatusRequestTimeout:
		return lost
	case status == http.StatusNotImplemented, status >= 300 && status < 500:
		return refused
	}
	if unsent(err) {
		return refused
	}
	return lost
}

// unsent says that no byte of the request can have reached the server.
func unsent(err error) bool {
	var wire *net.OpError
	var name *net.DNSError
	var sign *smithy.SerializationError
	return errors.As(err, &wire) && wire.Op == "dial" || errors.As(err, &name) || errors.As(err, &sign)
}

func statusOf(err error) int {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) && answer.Response != nil {
		return answer.HTTPStatusCode()
	}
	return 0
}

// codeOf is the server's own word for the error.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// explain says what went wrong without what was asked for: the SDK's texts hold
// URLs, and with them keys.
func explain(err error) error {
	if err == nil {
		return nil
	}
	if status := statusOf(err); status != 0 {
		return fmt.Errorf("the server answered %d %s", status, codeOf(err))
	}
	var asked *url.Error
	if errors.As(err, &asked) {
		return asked.Err
	}
	var called *smithy.OperationError
	if errors.As(err, &called) {
		return called.Err
	}
	return err
}

// failed turns the error of a request that changes nothing, or that is known
// to have changed nothing, into one of the store's.
func failed(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch code := codeOf(err); code {
	case "NoSuchKey", "NotFound":
		return store.ErrNotFound
	case "QuotaExceeded", "InsufficientStorage", "InsufficientCapacity":
		return fmt.Errorf("%w: %w", store.ErrFull, explain(err))
	}
	switch status := statusOf(err); {
	case status == http.StatusInsufficientStorage:
		return fmt.Errorf("%w: %w", store.ErrFull, explain(err))
	case status == http.StatusBadRequest:
		return explain(err) // our mistake, or a limit of the server's
	}
	// A deadline of ours must not look like one of the caller's.
	return fmt.Errorf("%w: %v", store.ErrUnavailable, explain(err))
}
