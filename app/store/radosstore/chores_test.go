package radosstore

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

func TestWhatFailsInTheBackgroundIsTold(t *testing.T) {
	p, c := newMemPool(), &clock{now: time.Unix(1e9, 0)}
	h := memHome(t, p, c)
	var told []string
	h.cfg.Failed = func(what string, err error) { told = append(told, fmt.Sprint(what, ": ", err)) }
	const uploads = mostErrors + 3
	for n := range uploads {
		draft, err := h.Stage(t.Context(), fmt.Sprint("secret", n), bytes.NewReader(big), store.PutOptions{Size: int64(len(big))})
		require.NoError(t, err)
		defer draft.Discard()
	}
	h.beat(t.Context())
	h.pass(t.Context())
	require.Empty(t, told)
	require.Equal(t, ChoreNumbers{Passes: 1, Uploads: uploads}, h.ChoreNumbers())

	c.pass(h.cfg.Grace + time.Second)
	p.hold = func(name string, _ change) error {
		if strings.HasPrefix(name, "u:") {
			return errors.New("lightning")
		}
		return nil
	}
	h.beat(t.Context())
	h.pass(t.Context())
	require.Equal(t, ChoreNumbers{Passes: 2, PassesFailed: 1, BeatsFailed: 1, Uploads: uploads}, h.ChoreNumbers())
	require.Len(t, told, 2)
	require.Contains(t, told[1], "and 3 more uploads")
	require.Equal(t, mostErrors, strings.Count(told[1], "lightning"))
	require.NotContains(t, strings.Join(told, ""), "secret", "keys are not for logs")
}

func TestAnUploadThatCouldNotBeRegisteredIsInNoDoubt(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	p.answer = func(name string, _ change) error {
		if strings.HasPrefix(name, "u:") {
			return store.ErrUnknown
		}
		return nil
	}
	_, err := h.Stage(t.Context(), "k", bytes.NewReader(big), store.PutOptions{Size: int64(len(big))})
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.NotErrorIs(t, err, store.ErrUnknown)
	require.Empty(t, h.uploads.drafts())
}
