package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// client sends requests one by one, where wrk's figures are not what is asked.
type client struct{ http *http.Client }

// newClient keeps so many connections open.
func newClient(connections int) client {
	return client{&http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: connections,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true}, // the certificate signs itself
		DisableCompression:  true,
	}}}
}

func (c client) close() { c.http.CloseIdleConnections() }

func (c client) do(ctx context.Context, s *server, method, path string, body io.Reader, length int64) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.url()+path, body)
	if err != nil {
		return nil, err
	}
	request.ContentLength = length
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	return c.http.Do(request)
}

// put stores body and insists on its acknowledgement.
func (c client) put(ctx context.Context, s *server, path string, body []byte) error {
	return c.send(ctx, s, path, bytes.NewReader(body), int64(len(body)))
}

func (c client) send(ctx context.Context, s *server, path string, body io.Reader, length int64) error {
	reply, err := c.do(ctx, s, http.MethodPut, path, body, length)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	text, _ := io.ReadAll(reply.Body)
	if reply.StatusCode/100 != 2 {
		return fmt.Errorf("PUT %s: %s: %s", path, reply.Status, text)
	}
	return nil
}

// fill stores objects 1 to n under path, which holds a %d, in parallel.
func (c client) fill(ctx context.Context, s *server, path string, n int, body []byte) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(64)
	for i := 1; i <= n && ctx.Err() == nil; i++ {
		group.Go(func() error {
			// A busy server refuses: what is filled is not what is measured.
			err := c.put(ctx, s, fmt.Sprintf(path, i), body)
			for turn := 0; turn < 10 && err != nil && ctx.Err() == nil; turn++ {
				time.Sleep(time.Second)
				err = c.put(ctx, s, fmt.Sprintf(path, i), body)
			}
			return err
		})
	}
	return group.Wait()
}
