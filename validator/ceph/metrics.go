package ceph

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxMetrics bounds what is read of a page of metrics.
const maxMetrics = 8 << 20

// metricsOf returns the health that a mgr's prometheus module shows at url:
// ceph_health_status is 0, 1 or 2.
func metricsOf(url string, client *http.Client) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return "", err
		}
		response, err := client.Do(request)
		if err != nil {
			return "", fmt.Errorf("the mgr's metrics: %w", ErrUnreachable)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return "", fmt.Errorf("the mgr's metrics: %w: status %d", ErrFailed, response.StatusCode)
		}
		return statusIn(io.LimitReader(response.Body, maxMetrics))
	}
}

func statusIn(page io.Reader) (string, error) {
	lines := bufio.NewScanner(page)
	for lines.Scan() {
		value, ok := strings.CutPrefix(lines.Text(), "ceph_health_status ")
		if !ok {
			continue
		}
		switch strings.TrimSpace(value) {
		case "0", "0.0":
			return "HEALTH_OK", nil
		case "1", "1.0":
			return "HEALTH_WARN", nil
		case "2", "2.0":
			return "HEALTH_ERR", nil
		}
	}
	return "", fmt.Errorf("the mgr's metrics: %w: no ceph_health_status of 0, 1 or 2", ErrFailed)
}
