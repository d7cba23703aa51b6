package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestALedgerIsTakenUpAsItWasLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, err := Open(path)
	require.NoError(t, err)
	play(t, l, "k\u00e9y\n", "b1 a1 b2 b3 a3 m2")
	play(t, l, "pending", "b1 a1 b2")
	play(t, l, "refused", "b1 n1")
	require.NoError(t, l.Close())

	l, err = Open(path)
	require.NoError(t, err)
	require.Equal(t, []uint64{2, 3}, numbers(l.Lawful("k\u00e9y\n")))
	require.Equal(t, []uint64{1, 2}, numbers(l.Lawful("pending")))
	require.Equal(t, []uint64{0}, numbers(l.Lawful("refused")))
	require.Equal(t, Foreign, l.Judge("refused", 1))
	require.Equal(t, Stale, l.Judge("k\u00e9y\n", 1))
	play(t, l, "pending", "b3 a3")
	require.Equal(t, []uint64{3}, numbers(l.Lawful("pending")), "the crash was when its client gave up")
	require.NoError(t, l.Close())

	l, err = Open(path)
	require.NoError(t, err)
	require.Equal(t, []uint64{3}, numbers(l.Lawful("pending")))
	require.NoError(t, l.Close())
}

func TestALineThatACrashLostAccusesNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, err := Open(path)
	require.NoError(t, err)
	play(t, l, "key", "b1 a1")
	require.Equal(t, Foreign, l.Judge("key", 2))
	require.NoError(t, l.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)

	torn := append(whole, `{"b":3,"k":"key","v":2,"s"`...)
	require.NoError(t, os.WriteFile(path, torn, 0o600))
	l, err = Open(path)
	require.NoError(t, err)
	defer l.Close()
	require.Equal(t, Right, l.Judge("key", 2))
	require.Equal(t, Lost, l.Judge("key", 0))
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(whole)+"{\"resumed\":true}\n", string(after))
}

func TestTheSumIsThatOfTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	for range 2 { // once new, once taken up
		l, err := Open(path)
		require.NoError(t, err)
		play(t, l, "key", "b1 a1 b2 m2 b3")
		got, err := l.Sum()
		require.NoError(t, err)
		bytes, err := os.ReadFile(path)
		require.NoError(t, err)
		want := sha256.Sum256(bytes)
		require.Equal(t, hex.EncodeToString(want[:]), got)
		require.NoError(t, l.Close())
	}
}

func TestAnAcknowledgementIsOnDiskBeforeEndReturns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, err := Open(path)
	require.NoError(t, err)
	defer l.Close()
	play(t, l, "key", "b1 a1")
	bytes, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, `{"format":1}
{"b":1,"k":"key","v":1,"s":10}
{"e":1,"o":"ack"}
`, string(bytes))
}

func TestAnAcknowledgementThatCannotBeKeptDoesNotCount(t *testing.T) {
	l := fresh(t)
	id, err := l.Begin("key", 1, 1)
	require.NoError(t, err)
	require.NoError(t, l.file.f.Close()) // as a disk that went away
	require.Error(t, l.End(id, Acknowledged))
	require.False(t, l.Has("key"))
	require.Equal(t, []uint64{0, 1}, numbers(l.Lawful("key")))
	_, err = l.Begin("key", 2, 1)
	require.Error(t, err)
}

func TestAnAlteredLedgerIsRefusedWithItsLine(t *testing.T) {
	for content, want := range map[string]string{
		"{\"b\":1}\n": "line 1: format 0, want 1",
		"{\"format\":1}\n{\"b\":2,\"k\":\"a\"}\n":          "line 2: it begins write 2, want 1",
		"{\"format\":1}\n{\"e\":1,\"o\":\"ack\"}\n":        "line 2: it ends write 1, which is not pending",
		"{\"format\":1}\nfoo\n":                            "line 2: it is no line of a ledger",
		"{\"format\":1}\n{\"x\":1}\n":                      "line 2: it is no line of a ledger",
		"{\"format\":1}\n{\"b\":1,\"k\":\"a\"}\n{}\n":      "line 3: it ends write 0",
		"{\"format\":1}\n{\"format\":1}\n{\"format\":1}\n": "line 2: format 1, want 1 in the first line only",
	} {
		path := filepath.Join(t.TempDir(), "ledger.jsonl")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := Open(path)
		require.ErrorContains(t, err, want)
	}
}

func BenchmarkBeginAndMaybe(b *testing.B) {
	l, err := Open(filepath.Join(b.TempDir(), "ledger.jsonl"))
	require.NoError(b, err)
	defer l.Close()
	for b.Loop() {
		id, err := l.Begin("campaign/0123456789abcdef", 1, 4096)
		require.NoError(b, err)
		require.NoError(b, l.End(id, Never))
	}
}
