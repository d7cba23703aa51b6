package process

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// vector is a line of testdata/golden.py, which says what its fields mean.
type vector struct {
	Chain, Verdict string
	Limit, Size    int64
	Pattern        []byte
	Gzip           bool
	Out            *[]byte
	OutSize        int64  `json:"out_size"`
	OutSHA256      string `json:"out_sha256"`
}

func (v vector) object() []byte {
	return bytes.Repeat(v.Pattern, int(v.Size)/len(v.Pattern)+1)[:v.Size]
}

// readers are ways to hand over the same bytes that must make no difference.
var readers = [...]func(io.Reader) io.Reader{
	func(r io.Reader) io.Reader { return r },
	iotest.OneByteReader,
	iotest.HalfReader,
	func(r io.Reader) io.Reader { return bufio.NewReaderSize(r, 8191) },
	// These two lose bytes of a source that itself yields some with its end, so
	// they are for objects and not for answers.
	iotest.DataErrReader,
	func(r io.Reader) io.Reader { return iotest.DataErrReader(iotest.OneByteReader(r)) },
}

// run answers a vector as a platform does: with a verdict, and with what it
// makes, read in odd pieces on either side.
func run(t testing.TB, v vector) (verdict string, out []byte) {
	chain, err := Parse(v.Chain)
	if errors.Is(err, ErrChain) {
		return "refused", nil
	}
	require.NoError(t, err)
	planned, err := chain.Plan(v.Size, v.Limit)
	if errors.Is(err, ErrTooLarge) {
		return "too large", nil
	}
	require.NoError(t, err)
	in, odd := readers[v.Size%int64(len(readers))], readers[len(v.Chain)%4]
	out, err = io.ReadAll(odd(chain.Apply(t.Context(), in(bytes.NewReader(v.object())), v.Size)))
	if errors.Is(err, ErrImage) {
		return "no image", nil
	}
	require.NoError(t, err, v.Chain)
	require.Equal(t, v.Gzip, planned == Unknown, v.Chain)
	if !v.Gzip {
		require.EqualValues(t, planned, len(out), "the plan of %s is wrong", v.Chain)
	}
	return "ok", out
}

// differs says how an answer is not what the vector wants, or nothing. What
// gzip made is given to it decompressed.
func differs(v vector, verdict string, out []byte) string {
	sum := sha256.Sum256(out)
	switch {
	case verdict != v.Verdict:
		return fmt.Sprintf("%q of %d bytes at most %d is %s; want %s", v.Chain, v.Size, v.Limit, verdict, v.Verdict)
	case verdict != "ok":
		return ""
	case v.Out != nil && !bytes.Equal(out, *v.Out):
		return fmt.Sprintf("%q of %d bytes makes %q; want %q", v.Chain, v.Size, out, *v.Out)
	case int64(len(out)) != v.OutSize || hex.EncodeToString(sum[:]) != v.OutSHA256:
		return fmt.Sprintf("%q of %d bytes makes %d bytes with the SHA-256 %x; want %d with %s", v.Chain, v.Size, len(out), sum, v.OutSize, v.OutSHA256)
	}
	return ""
}

func readVectors(t testing.TB, text []byte) (all []vector) {
	lines := json.NewDecoder(bytes.NewReader(text))
	for lines.More() {
		var v vector
		require.NoError(t, lines.Decode(&v))
		all = append(all, v)
	}
	return all
}

// TestTheKeptVectorsHold needs no Python: they are what golden.py printed for
// the seed "kept".
func TestTheKeptVectorsHold(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.jsonl")
	require.NoError(t, err)
	seen := map[string]int{}
	for _, v := range readVectors(t, text) {
		verdict, out := run(t, v)
		if verdict == "ok" && v.Gzip {
			unzip, err := gzip.NewReader(bytes.NewReader(out))
			require.NoError(t, err)
			out, err = io.ReadAll(unzip)
			require.NoError(t, err)
		}
		require.Empty(t, differs(v, verdict, out))
		seen[v.Verdict]++
	}
	require.Len(t, seen, 4, "every verdict is among them: %v", seen)
	for _, verdict := range []string{"ok", "refused", "too large"} {
		require.Greater(t, seen[verdict], 30, verdict)
	}
}

// golden runs the second implementation.
func golden(t *testing.T, stdin io.Reader, script string, args ...string) []byte {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("python3 is not installed")
	}
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), python, append([]string{"-B", "testdata/" + script}, args...)...)
	cmd.Stdin, cmd.Stderr = stdin, os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	return out
}

func TestTheKeptVectorsAreWhatTheSecondImplementationPrints(t *testing.T) {
	kept, err := os.ReadFile("testdata/golden.jsonl")
	require.NoError(t, err)
	require.Equal(t, string(kept), string(golden(t, nil, "golden.py", "vectors", "kept", "300")),
		"write it again with: python3 testdata/golden.py vectors kept 300 >testdata/golden.jsonl")
}

// TestTwoImplementationsAgree draws a seed for each run and names it.
func TestTwoImplementationsAgree(t *testing.T) {
	seed := strconv.FormatUint(rand.Uint64(), 16)
	t.Log("seed", seed)
	var packed bytes.Buffer
	var zipped []vector
	for _, v := range readVectors(t, golden(t, nil, "golden.py", "vectors", seed, "900")) {
		verdict, out := run(t, v)
		if verdict == "ok" && v.Verdict == "ok" && v.Gzip {
			zipped = append(zipped, v)
			packed.WriteString(base64.StdEncoding.EncodeToString(out) + "\n")
			continue
		}
		require.Empty(t, differs(v, verdict, out), "golden.py vectors %s 900", seed)
	}
	require.NotEmpty(t, zipped)
	unzipped := json.NewDecoder(bytes.NewReader(golden(t, &packed, "golden.py", "gunzip")))
	for _, v := range zipped {
		var found struct {
			Whole  bool
			Size   int64
			SHA256 string
		}
		require.NoError(t, unzipped.Decode(&found))
		require.True(t, found.Whole, "%q of %d bytes: the stream has no end, or something after it", v.Chain, v.Size)
		require.Equal(t, v.OutSHA256, found.SHA256, "%q of %d bytes, decompressed", v.Chain, v.Size)
		require.Equal(t, v.OutSize, found.Size, v.Chain)
	}
}

func TestAWrongAnswerDiffersFromItsVector(t *testing.T) {
	for _, out := range [][]byte{[]byte("OTTER"), bytes.Repeat([]byte("OTTER"), 100)} {
		sum := sha256.Sum256(out)
		v := vector{Chain: "upper", Verdict: "ok", OutSize: int64(len(out)), OutSHA256: hex.EncodeToString(sum[:])}
		if len(out) < 100 {
			v.Out = &out
		}
		require.Empty(t, differs(v, "ok", out))
		require.NotEmpty(t, differs(v, "refused", nil))
		require.NotEmpty(t, differs(v, "too large", nil))
		require.NotEmpty(t, differs(v, "ok", out[1:]))
		require.NotEmpty(t, differs(v, "ok", bytes.ToLower(out)))
	}
	require.NotEmpty(t, differs(vector{Verdict: "refused"}, "ok", nil))
	require.Empty(t, differs(vector{Verdict: "refused"}, "refused", nil))
}
