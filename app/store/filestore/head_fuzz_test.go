package filestore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

// sealed is the head of an object with these bytes.
func sealed(t testing.TB, key, contentType, name, value string, size int64, modified int64) (head, []byte) {
	t.Helper()
	opts := store.PutOptions{ContentType: contentType}
	if name != "" {
		opts.Meta = map[string]string{name: value}
	}
	h, err := newHead(key, nonce{1, 2, 3}, time.Unix(0, modified), opts)
	if err != nil {
		t.Skip(err)
	}
	digest := bytes.Repeat([]byte{7}, 32)
	return h, h.seal(size, digest)
}

// parseWhole reads a head as a reader of files does.
func parseWhole(b []byte) (head, error) {
	n, err := headLen(b)
	if err != nil {
		return head{}, err
	}
	if n > len(b) {
		return head{}, ErrDamaged
	}
	return parseHead(b[:n], "")
}

// FuzzAHeadReadsBackAsItWasWritten also spoils one byte of it, which must show.
func FuzzAHeadReadsBackAsItWasWritten(f *testing.F) {
	f.Add("key", "text/plain", "colour", "red", int64(5), int64(1), uint16(0), byte(1))
	f.Add("", "", "", "", int64(0), int64(-1), uint16(92), byte(128))
	f.Add("\xff\x00", "a", "n", "", int64(1<<62), int64(1<<62), uint16(100), byte(3))
	f.Fuzz(func(t *testing.T, key, contentType, name, value string, size, modified int64, at uint16, xor byte) {
		size = max(size, 0)
		want, b := sealed(t, key, contentType, name, value, size, modified)
		got, err := parseWhole(b)
		require.NoError(t, err)
		want.info.Size, want.info.SHA256 = size, bytes.Repeat([]byte{7}, 32)
		require.Equal(t, want.info, got.info)
		require.Equal(t, want.bodyAt, got.bodyAt)
		if b[int(at)%len(b)] ^= xor; xor != 0 {
			_, err = parseWhole(b)
			require.ErrorIs(t, err, ErrDamaged)
		}
	})
}

// FuzzAHeadOfAnyBytesIsReadOrRefused mends the checksum, so that what lies
// behind it is reached.
func FuzzAHeadOfAnyBytesIsReadOrRefused(f *testing.F) {
	_, b := sealed(f, "key", "text/plain", "colour", "red", 5, 1)
	f.Add(b)
	f.Add(b[:fixedLen])
	f.Add(append(bytes.Clone(b[:fixedLen]), 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1))
	f.Add(append(bytes.Clone(b[:fixedLen]), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := parseWhole(b); err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
		if len(b) < fixedLen || len(b) > fixedLen+maxDescription {
			return
		}
		copy(b, magic)
		binary.BigEndian.PutUint32(b[8:], version)
		binary.BigEndian.PutUint32(b[12:], uint32(len(b)-fixedLen))
		binary.BigEndian.PutUint32(b[sumAt:], headSum(b))
		got, err := parseWhole(b)
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			return
		}
		// What was read can be written, and then reads the same.
		again, err := newHead(got.info.Key, got.nonce, got.info.Modified, store.PutOptions{ContentType: got.info.ContentType, Meta: got.info.Meta})
		require.NoError(t, err)
		same, err := parseWhole(again.seal(got.info.Size, got.info.SHA256))
		require.NoError(t, err)
		require.Equal(t, got.info, same.info)
	})
}

// FuzzASpoiledFileServesNoWrongByte changes and cuts the file of an object.
func FuzzASpoiledFileServesNoWrongByte(f *testing.F) {
	dir := f.TempDir()
	s, err := Open(dir)
	require.NoError(f, err)
	f.Cleanup(func() { _ = s.Close() })
	f.Add(uint32(0), uint32(0), byte(1), uint32(0))
	f.Add(uint32(4096), uint32(200), byte(255), uint32(0))
	f.Add(uint32(blockLen), uint32(blockLen+fixedLen), byte(1), uint32(1))
	f.Add(uint32(3*blockLen+1), uint32(2*stride), byte(16), uint32(stride))
	f.Fuzz(func(t *testing.T, size, at uint32, xor byte, cut uint32) {
		data := noise(uint64(size), int(size%(4*blockLen)))
		put(t, s, "k", data)
		path := fileOf(dir, "k")
		file, err := os.ReadFile(path)
		require.NoError(t, err)
		lost := int(cut) % len(file)
		file[int(at)%len(file)] ^= xor
		file = file[:len(file)-lost]
		require.NoError(t, os.WriteFile(path, file, 0o440))
		got, err := read(s, t, "k", store.Whole)
		require.True(t, bytes.HasPrefix(data, got))
		if err == nil {
			require.Len(t, got, len(data))
			require.Zero(t, int(xor)|lost, "spoiled, and nobody noticed")
			return
		}
		require.ErrorIs(t, err, ErrDamaged)
	})
}
