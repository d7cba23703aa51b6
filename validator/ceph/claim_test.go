package ceph_test

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"bogops/validator/ceph"
	"bogops/validator/ceph/cephfake"
)

func TestAClaimThatDoesNotSayWhereEachByteLiesIsRefused(t *testing.T) {
	whole := []ceph.Piece{{Name: "a", At: 64, Length: 6}, {Name: "b", Offset: 6, Length: 4}}
	for _, c := range []struct {
		name   string
		change func(*ceph.Claim)
		says   string
	}{
		{"whole", func(*ceph.Claim) {}, ""},
		{"empty object", func(c *ceph.Claim) { c.Size, c.Pieces = 0, nil }, ""},
		{"of another store", func(c *ceph.Claim) { c.Store, c.Pieces = "s3", nil }, ""},
		{"without a pool", func(c *ceph.Claim) { c.Pool = "" }, "names no pool"},
		{"hole at the front", func(c *ceph.Claim) { c.Pieces = c.Pieces[1:] }, "piece 1 begins at byte 6 of the object, want 0"},
		{"hole at the end", func(c *ceph.Claim) { c.Pieces = c.Pieces[:1] }, "the pieces hold 6 bytes of 10"},
		{"overlap", func(c *ceph.Claim) { c.Pieces[1].Offset = 5 }, "piece 2 begins at byte 5 of the object, want 6"},
		{"more than the object", func(c *ceph.Claim) { c.Pieces[1].Length = 5 }, "piece 2 has 5 bytes"},
		{"negative place", func(c *ceph.Claim) { c.Pieces[0].At = -1 }, "from byte -1 on"},
		{"piece of nothing", func(c *ceph.Claim) { c.Pieces[0].Length = 0 }, "piece 1 has 0 bytes"},
		{"overflow", func(c *ceph.Claim) { c.Pieces[1].Length = 1<<63 - 1 }, "piece 2 has"},
		{"place past every end", func(c *ceph.Claim) { c.Pieces[0].At = 1<<63 - 2 }, "piece 1 has 6 bytes from byte 9223372036854775806 on"},
		{"name that ends a string", func(c *ceph.Claim) { c.Pieces[0].Name = "a\x00b" }, "no control characters"},
		{"name that is an option", func(c *ceph.Claim) { c.Pieces[0].Name = "--help" }, "no dash in front"},
		{"pool that is an option", func(c *ceph.Claim) { c.Pool = "-x" }, "no dash in front"},
		{"namespace of many lines", func(c *ceph.Claim) { c.Namespace = "a\nb" }, "no control characters"},
		{"long namespace", func(c *ceph.Claim) { c.Namespace = strings.Repeat("n", 2049) }, "at most 2048 bytes"},
		{"without a name", func(c *ceph.Claim) { c.Pieces[0].Name = "" }, "piece 1 has a name of 0 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			claim := ceph.Claim{Store: "ceph", Size: 10, Pool: "objects", Pieces: append([]ceph.Piece(nil), whole...)}
			c.change(&claim)
			text, err := json.Marshal(claim)
			require.NoError(t, err)
			_, err = ceph.ParseClaim(text)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
		})
	}
	_, err := ceph.ParseClaim([]byte(`{"size": "ten"}`))
	require.ErrorContains(t, err, "no JSON")
}

func TestABodyIsRebuiltFromItsPiecesAndEndsWhereOneDoes(t *testing.T) {
	fake := cephfake.New()
	claim := ceph.Claim{Store: "ceph", Size: 10, Pool: cephfake.Pool, Namespace: "n", Pieces: []ceph.Piece{{Name: "a", At: 3, Length: 6}, {Name: "b", Offset: 6, Length: 4}}}
	fake.Write(ceph.Object{Pool: cephfake.Pool, Namespace: "n", Name: "a"}, []byte("...012345..."))
	fake.Write(ceph.Object{Pool: cephfake.Pool, Namespace: "n", Name: "b"}, []byte("6789..."))
	require.NoError(t, iotest.TestReader(fake.Cluster().Body(t.Context(), claim), []byte("0123456789")))

	fake.Write(ceph.Object{Pool: cephfake.Pool, Namespace: "n", Name: "a"}, []byte("...012"))
	got, err := io.ReadAll(fake.Cluster().Body(t.Context(), claim))
	require.NoError(t, err)
	require.Equal(t, "012", string(got), "what follows a cut piece is no longer at its place")

	fake.Delete(ceph.Object{Pool: cephfake.Pool, Namespace: "n", Name: "a"})
	_, err = io.ReadAll(fake.Cluster().Body(t.Context(), claim))
	require.ErrorIs(t, err, ceph.ErrNotFound)
}

func TestALargePieceIsReadInParts(t *testing.T) {
	fake := cephfake.New()
	content := make([]byte, 9<<20)
	for i := range content {
		content[i] = byte(i >> 13)
	}
	fake.Write(ceph.Object{Pool: cephfake.Pool, Name: "a"}, content)
	cluster := fake.Cluster()
	parts := &counting{Access: cluster.Access}
	cluster.Access = parts
	claim := ceph.Claim{Size: 9 << 20, Pool: cephfake.Pool, Pieces: []ceph.Piece{{Name: "a", Length: 9 << 20}}}
	got, err := io.ReadAll(cluster.Body(t.Context(), claim))
	require.NoError(t, err)
	require.Equal(t, content, got)
	require.Equal(t, []int64{4 << 20, 4 << 20, 1 << 20}, parts.lengths)
}

type counting struct {
	ceph.Access
	lengths []int64
}

func (c *counting) Read(ctx context.Context, o ceph.Object, at, length int64) ([]byte, error) {
	c.lengths = append(c.lengths, length)
	return c.Access.Read(ctx, o, at, length)
}

func TestTheKeyOfAKeyringIsItsKey(t *testing.T) {
	require.Equal(t, "AQDn==", ceph.KeyOf("[client.judge]\n\tkey = AQDn==\n\tcaps mon = \"allow r\"\n"))
	require.Equal(t, "AQDn==", ceph.KeyOf(" AQDn==\n"))
}
