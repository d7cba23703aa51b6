package radosstore

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

func heads() map[string]head {
	info := store.Info{Key: "a//b/é", Size: 5, SHA256: bytes.Repeat([]byte{7}, 32), ContentType: "text/plain",
		Modified: time.Unix(1, 2).UTC(), Meta: map[string]string{"b": "\xff\x00", "a": ""}}
	version := versioned.Version{Epoch: 3, Generation: 1 << 40, Nonce: [16]byte{1, 15: 9}}
	info.ETag = version.ETag()
	inline := head{Head: versioned.Head{Version: version, Info: info}, bodySum: 77}
	tails := inline
	tails.Info.Size, tails.chunk, tails.bodySum = 2*chunkSize+1, chunkSize, 0
	tails.sums, tails.draft = []uint32{1, 2, 3}, draftID{5}
	empty := inline
	empty.Info.Size, empty.Info.Meta = 0, nil
	long := inline
	long.Info.Key = strings.Repeat("k", store.MaxKey)
	tombstone := head{Head: versioned.Head{Version: version, Tombstone: true, Info: store.Info{Key: "k", Modified: info.Modified}}}
	return map[string]head{"inline": inline, "tails": tails, "empty": empty, "long": long, "tombstone": tombstone}
}

func TestAHeadReadsBackAsItWasWritten(t *testing.T) {
	for name, h := range heads() {
		t.Run(name, func(t *testing.T) {
			b := append(h.encode(3), "xyz"...)
			n, err := headLen(b)
			require.NoError(t, err)
			require.Equal(t, len(b)-3, n)
			got, err := parseHead(b[:n])
			require.NoError(t, err)
			require.Equal(t, b[:fixedLen], got.fixed)
			require.Equal(t, string(b[:guardLen]), got.Guard)
			h.fixed, h.Guard, h.bodyAt = got.fixed, got.Guard, int64(n)
			require.Equal(t, h, got)
		})
	}
}

func TestNoBitOfAHeadCanFlipUnnoticed(t *testing.T) {
	for name, h := range heads() {
		t.Run(name, func(t *testing.T) {
			good := h.encode(0)
			for bit := range len(good) * 8 {
				b := bytes.Clone(good)
				b[bit/8] ^= 1 << (bit % 8)
				n, err := headLen(b)
				if err == nil && n == len(b) {
					_, err = parseHead(b)
				}
				require.ErrorIs(t, err, store.ErrDamaged, "bit %d", bit)
			}
		})
	}
}

func TestATouchChangesTheGuardAndNothingElse(t *testing.T) {
	for name, h := range heads() {
		t.Run(name, func(t *testing.T) {
			b := h.encode(0)
			before, err := parseHead(b)
			require.NoError(t, err)
			copy(b, touched(before.fixed))
			_, err = headLen(b)
			require.NoError(t, err)
			after, err := parseHead(b)
			require.NoError(t, err)
			require.NotEqual(t, before.Guard, after.Guard)
			after.Guard, after.fixed = before.Guard, before.fixed
			require.Equal(t, before, after)
		})
	}
}

func FuzzHead(f *testing.F) {
	for _, h := range heads() {
		f.Add(h.encode(0))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		// Checksums keep most garbage out; mend them, to test what is behind.
		if len(b) >= fixedLen {
			copy(b, magic)
			b[4] = format
			mend(b)
		}
		n, err := headLen(b)
		if err != nil || n > len(b) {
			return
		}
		h, err := parseHead(b[:n])
		if err != nil {
			require.ErrorIs(t, err, store.ErrDamaged)
			return
		}
		again, err := parseHead(h.encode(0))
		require.NoError(t, err, "what was read can be written and read again")
		// Varints have more than one spelling, and touch is not written.
		again.fixed, again.Guard, again.bodyAt = h.fixed, h.Guard, h.bodyAt
		require.Equal(t, h, again)
	})
}

// mend makes the manifest all that is behind the fixed part, and the sums right.
func mend(b []byte) {
	binary.BigEndian.PutUint32(b[manifestAt:], uint32(len(b)-fixedLen))
	binary.BigEndian.PutUint32(b[manifestAt+4:], sumOf(b[fixedLen:]))
	binary.BigEndian.PutUint32(b[fixedSumAt:], sumOf(b[:fixedSumAt]))
}
