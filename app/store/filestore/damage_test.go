package filestore

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

func fileOf(dir, key string) string { return filepath.Join(dir, placeOf(key).String()) }

func TestAFlippedBitAnywhereIsAnErrorAndNeverAWrongByte(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	data := noise(1, blockLen+100)
	put(t, s, "k", data)
	sound, err := os.ReadFile(fileOf(dir, "k"))
	require.NoError(t, err)
	step := 1
	for at := 0; at < len(sound); at += step {
		if at == 300 {
			step = 997 // the head bit by bit, the body here and there
		}
		flipped := bytes.Clone(sound)
		flipped[at] ^= 1 << (at % 8)
		require.NoError(t, os.WriteFile(fileOf(dir, "k"), flipped, 0o640))
		got, err := read(s, t, "k", store.Whole)
		require.ErrorIs(t, err, ErrDamaged, "byte %d flipped", at)
		require.True(t, bytes.HasPrefix(data, got), "byte %d flipped", at)
	}
}

func TestAFileCutAnywhereIsAnError(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	data := noise(1, 2*blockLen)
	put(t, s, "k", data)
	whole, err := os.Stat(fileOf(dir, "k"))
	require.NoError(t, err)
	for _, length := range []int64{whole.Size() - 1, whole.Size() - sumLen, stride + 120, stride, 100, 97, 96, 95, 64, 1, 0} {
		require.NoError(t, os.Truncate(fileOf(dir, "k"), length))
		got, err := read(s, t, "k", store.Whole)
		require.ErrorIs(t, err, ErrDamaged, "%d bytes left", length)
		require.True(t, bytes.HasPrefix(data, got), "%d bytes left", length)
	}
}

func TestABlockInAnothersPlaceIsAnError(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	put(t, s, "k", noise(1, 2*blockLen))
	file, err := os.ReadFile(fileOf(dir, "k"))
	require.NoError(t, err)
	body := file[len(file)-2*stride:]
	swapped := append(append(bytes.Clone(file[:len(file)-2*stride]), body[stride:]...), body[:stride]...)
	require.NoError(t, os.WriteFile(fileOf(dir, "k"), swapped, 0o640))
	_, err = read(s, t, "k", store.Whole)
	require.ErrorIs(t, err, ErrDamaged)
}

func TestAFileUnderAnothersNameIsAnError(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	put(t, s, "one", []byte("1"))
	put(t, s, "other", []byte("2"))
	require.NoError(t, os.Rename(fileOf(dir, "one"), fileOf(dir, "other")))
	_, err := read(s, t, "other", store.Whole)
	require.ErrorIs(t, err, ErrDamaged)
	require.ErrorContains(t, err, placeOf("other").blind())
}

func TestADamagedObjectCanBeReplacedAndDeleted(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	for range 2 {
		put(t, s, "k", []byte("old"))
		require.NoError(t, os.WriteFile(fileOf(dir, "k"), []byte("rubbish"), 0o640))
		_, err := s.List(t.Context(), store.ListOptions{Limit: 1})
		require.ErrorIs(t, err, ErrDamaged, "a listing must not leave out what was acknowledged")
		info := put(t, s, "k", []byte("new"))
		require.True(t, info.Replaced)
		require.NoError(t, os.WriteFile(fileOf(dir, "k"), []byte("rubbish"), 0o640))
		require.NoError(t, s.Delete(t.Context(), "k", ""))
	}
}

func TestFilesOfOthersAreNotListed(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	put(t, s, "k", nil)
	long := strings.Repeat("L", 1000)
	put(t, s, long, nil)
	madeShard(t, s, 0)
	for _, name := range []string{".swp", "README", "k~", "k"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "objects", "00", name), nil, 0o640))
	}
	page, err := s.List(t.Context(), store.ListOptions{Limit: 10})
	require.NoError(t, err)
	require.Len(t, page.Objects, 2)
	require.Equal(t, long, page.Objects[0].Key)
	require.Equal(t, "k", page.Objects[1].Key)
}
