//go:build ceph

package radosstore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestASessionWhoseOperationNeverEndsIsLeftBehind(t *testing.T) {
	s := &session{out: make(chan struct{})} // to disconnect it would panic
	s.users.Add(1)
	defer s.users.Done()
	require.False(t, s.end(time.Millisecond))
}
