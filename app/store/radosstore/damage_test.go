//go:build ceph

package radosstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

func newBody(size int) io.Reader { return bytes.NewReader(pattern(size)) }

// overwrite changes one byte of a RADOS object at an offset from its end.
func overwrite(t *testing.T, home *Home, name string, fromEnd int64) {
	t.Helper()
	ctx := t.Context()
	size, err := home.pool.size(ctx, name)
	require.NoError(t, err)
	b := make([]byte, size)
	_, err = home.pool.read(ctx, name, b, 0)
	require.NoError(t, err)
	b[size-fromEnd] ^= 1
	require.NoError(t, home.pool.change(ctx, name, change{full: [][]byte{b}}))
}

func TestNoDamagedByteIsHandedOut(t *testing.T) {
	home, ctx := realHome(t, namespace(t)), t.Context()
	for _, size := range []int{1000, joined + 1, 2*chunkSize + 1} {
		key := fmt.Sprint(size)
		_, err := put(ctx, home, key, pattern(size), versioned.Head{})
		require.NoError(t, err)
		pieces, err := home.Locate(ctx, key)
		require.NoError(t, err)
		last := pieces.Pieces[len(pieces.Pieces)-1]
		overwrite(t, home, last.Name, 1)
		got, _, err := get(ctx, home, key, store.Whole)
		require.ErrorIs(t, err, store.ErrDamaged, "size %d", size)
		require.True(t, bytes.HasPrefix(pattern(size), got))
		require.LessOrEqual(t, int64(len(got)), last.Offset)
		_, err = home.Head(ctx, key)
		require.NoError(t, err, "the head itself is whole")

		overwrite(t, home, last.Name, 1) // back
		got, _, err = get(ctx, home, key, store.Whole)
		require.NoError(t, err)
		require.Equal(t, pattern(size), got)
		headSize, err := home.pool.size(ctx, headName(key))
		require.NoError(t, err)
		overwrite(t, home, headName(key), headSize-20) // within the version
		_, err = home.Head(ctx, key)
		require.ErrorIs(t, err, store.ErrDamaged)
		_, _, err = get(ctx, home, key, store.Whole)
		require.ErrorIs(t, err, store.ErrDamaged)
	}
}

func TestAHeadUnderAnotherKeysNameIsDamage(t *testing.T) {
	home, ctx := realHome(t, namespace(t)), t.Context()
	_, err := put(ctx, home, "a", []byte("1"), versioned.Head{})
	require.NoError(t, err)
	b := make([]byte, 4096)
	n, err := home.pool.read(ctx, headName("a"), b, 0)
	require.NoError(t, err)
	require.NoError(t, home.pool.change(ctx, headName("b"), change{full: [][]byte{b[:n]}}))
	_, err = home.Head(ctx, "b")
	require.ErrorIs(t, err, store.ErrDamaged)
	require.NotContains(t, err.Error(), `"a"`)
}

func TestABodyWhoseTailIsGoneFailsAndIsNeverShort(t *testing.T) {
	home, ctx := realHome(t, namespace(t)), t.Context()
	const size = 12*chunkSize + 1
	_, err := put(ctx, home, "k", pattern(size), versioned.Head{})
	require.NoError(t, err)
	at, err := home.Locate(ctx, "k")
	require.NoError(t, err)
	require.NoError(t, home.pool.change(ctx, at.Pieces[12].Name, change{remove: true}))
	got, _, err := get(ctx, home, "k", store.Whole)
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.Len(t, got, 12*chunkSize)
	require.NoError(t, home.pool.change(ctx, at.Pieces[0].Name, change{remove: true}))
	_, _, err = get(ctx, home, "k", store.Whole)
	require.ErrorIs(t, err, store.ErrUnavailable)
}

// TestAStrangerRebuildsTheBytesFromTheirLocation uses the rados command and the
// judge's key, which can only read.
func TestAStrangerRebuildsTheBytesFromTheirLocation(t *testing.T) {
	home, ctx := realHome(t, namespace(t)), t.Context()
	dir := os.Getenv("BOGOPS_CEPH")
	for _, size := range []int{0, 1, 5000, inlineLimit, inlineLimit + 1, 2*chunkSize + 7} {
		key := fmt.Sprintf("ev/idence %d é", size)
		_, err := put(ctx, home, key, pattern(size), versioned.Head{})
		require.NoError(t, err)
		at, err := home.Locate(ctx, key)
		require.NoError(t, err)
		require.Equal(t, int64(size), at.Size)
		require.Len(t, at.FSID, 36)
		var rebuilt []byte
		for n, piece := range at.Pieces {
			require.Equal(t, int64(len(rebuilt)), piece.Offset)
			file := filepath.Join(t.TempDir(), fmt.Sprint(n))
			out, err := radosAsJudge(ctx, dir, at, "get", piece.Name, file).CombinedOutput()
			require.NoError(t, err, "%s", out)
			b, err := os.ReadFile(file)
			require.NoError(t, err)
			rebuilt = append(rebuilt, b[piece.At:piece.At+piece.Length]...)
		}
		require.Equal(t, sha256.Sum256(pattern(size)), sha256.Sum256(rebuilt))
	}
	_, err := home.Locate(ctx, "nothing")
	require.ErrorIs(t, err, store.ErrNotFound)
}

func radosAsJudge(ctx context.Context, dir string, at store.Location, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "rados", append([]string{"-c", filepath.Join(dir, "ceph.conf"), "-n", "client.judge",
		"-k", filepath.Join(dir, "keyring/judge"), "-p", at.Pool, "-N", at.Namespace}, args...)...)
}
