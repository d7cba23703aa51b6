package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/infra/concourse/concoursetest"
)

func TestItForwardsUntilItIsInterrupted(t *testing.T) {
	s := concoursetest.Shared(t)
	ctx, interrupt := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{s.Dir(), "127.0.0.1:9"}, write)
		write.Close()
	}()
	lines := bufio.NewScanner(read)
	require.True(t, lines.Scan())
	url, _, _ := strings.Cut(lines.Text(), " ")
	answer, err := http.Get(url + "/api/v1/info")
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.True(t, lines.Scan())
	require.Contains(t, lines.Text(), "127.0.0.1:9 is 10.80.0.1:")
	interrupt()
	require.NoError(t, <-ended)
}

func TestItSaysWhatIsWanted(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), nil, io.Discard), "wanted the directory")
	require.Error(t, run(t.Context(), []string{t.TempDir()}, io.Discard))
}
