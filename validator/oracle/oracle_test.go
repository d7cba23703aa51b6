package oracle

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The answers are published ones: FIPS 180-2 for "abc", RFC 4648 section 10,
// and hmac("key", the pangram) from the HMAC article that everyone quotes.
func TestPublishedVectorsComeOut(t *testing.T) {
	for _, c := range []struct{ chain, data, want string }{
		{"sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"hmac:key", "The quick brown fox jumps over the lazy dog", "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"},
		{"base64", "fooba", "Zm9vYmE="},
		{"base64", "", ""},
		{"reverse", "abc", "cba"},
		{"upper", "aé-z{`", "Aé-Z{`"},
		{"slice:1:2", "abcd", "bc"},
		{"slice:3:9223372036854775807", "abcd", "d"},
		{"slice:9223372036854775807:1", "abcd", ""},
		{"xor:AB", "aaa", "\x20\x23\x20"},
		{"reverse,slice:0:1,upper", "abc", "C"},
	} {
		got, err := Apply(c.chain, []byte(c.data))
		require.NoError(t, err, c.chain)
		require.Equal(t, c.want, string(got), c.chain)
	}
}

var badChains = []string{
	"", ",", "sha256,", "md5", "SHA256", "sha256:", "sha256:1", "hmac", "hmac:", "hmac:a b", "hmac:é",
	"hmac:" + strings.Repeat("a", 65), "slice:1", "slice:01:2", "slice:-1:2", "slice:+1:2", "slice:1:",
	"slice:0:9223372036854775808", "slice:1_0:2", "stretch:a:0", "stretch:a:100001", "stretch:a", "xor:",
	"upper,upper,upper,upper,upper,upper,upper,upper,upper",
}

func TestAChainThatTheContractRefusesIsRefused(t *testing.T) {
	for _, chain := range badChains {
		_, err := Apply(chain, []byte("abc"))
		require.ErrorIs(t, err, ErrChain, "%q", chain)
	}
}

func TestApplyLeavesItsInputAlone(t *testing.T) {
	data := []byte("some bytes")
	_, err := Apply("reverse,upper,xor:k", data)
	require.NoError(t, err)
	require.Equal(t, "some bytes", string(data))
}

func TestASecondLanguageComputesTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var chains []string
	var bodies [][]byte
	for i := range 400 {
		body := make([]byte, r.IntN(3000))
		for j := range body {
			body[j] = byte(r.Uint32())
		}
		chains = append(chains, Draw(r, []string{"bronze", "silver"}[i%2], int64(len(body))))
		bodies = append(bodies, body)
	}
	for _, chain := range badChains {
		chains, bodies = append(chains, chain), append(bodies, []byte("abc"))
	}
	second := askPython(t, chains, bodies)
	for i, chain := range chains {
		want := "bad"
		if got, err := Apply(chain, bodies[i]); err == nil {
			want = hex.EncodeToString(got)
		}
		require.Equal(t, want, second[i], "chain %q on %d bytes", chain, len(bodies[i]))
	}
}

func TestOnlyWhatTheFirstStepReadsIsMade(t *testing.T) {
	data := []byte("0123456789")
	for chain, want := range map[string]string{"slice:2:3,upper": "234", "upper,slice:2:3": "0123456789", "slice:8:9": "89", "slice:11:1": ""} {
		made := "nothing"
		got, err := ApplyTo(chain, 10, func(offset, length int64) []byte {
			made = string(data[offset : offset+length])
			return []byte(made)
		})
		require.NoError(t, err)
		require.Equal(t, want, made, chain)
		whole, err := Apply(chain, data)
		require.NoError(t, err)
		require.Equal(t, string(whole), string(got), chain)
	}
}

func askPython(t *testing.T, chains []string, bodies [][]byte) []string {
	var input bytes.Buffer
	for i, chain := range chains {
		line, err := json.Marshal(map[string]string{"chain": chain, "data": hex.EncodeToString(bodies[i])})
		require.NoError(t, err)
		input.Write(append(line, '\n'))
	}
	command := exec.CommandContext(t.Context(), "python3", "testdata/golden.py")
	command.Stdin = &input
	out, err := command.Output()
	require.NoError(t, err)
	var lines []string
	for scan := bufio.NewScanner(bytes.NewReader(out)); scan.Scan(); {
		lines = append(lines, scan.Text())
	}
	require.Len(t, lines, len(chains))
	return lines
}

func TestADrawnChainIsLawfulUnpredictableAndTheSameForTheSameSource(t *testing.T) {
	for size := int64(0); size < 2000; size += 37 {
		chain := Draw(rand.New(rand.NewPCG(7, uint64(size))), "bronze", size)
		require.Equal(t, chain, Draw(rand.New(rand.NewPCG(7, uint64(size))), "bronze", size))
		_, err := Apply(chain, make([]byte, size))
		require.NoError(t, err, chain)
		require.NotRegexp(t, "xor|stretch", chain)
		require.Regexp(t, "hmac|slice", chain)
	}
}

func TestALargeObjectIsCutBeforeAnythingIsComputed(t *testing.T) {
	for i := range uint64(200) {
		chain := Draw(rand.New(rand.NewPCG(3, i)), "silver", 256<<20)
		var offset, length int64
		_, err := fmt.Sscanf(chain, "slice:%d:%d", &offset, &length)
		require.NoError(t, err, chain)
		require.LessOrEqual(t, length, int64(Part))
		require.LessOrEqual(t, offset+length, int64(256<<20))
	}
}

func TestEveryStepOfItsLevelIsDrawn(t *testing.T) {
	drawn := map[string]int{}
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		for _, step := range strings.Split(Draw(r, "silver", 5000), ",") {
			name, _, _ := strings.Cut(step, ":")
			drawn[name]++
		}
	}
	for _, k := range kinds {
		require.Greater(t, drawn[k.name], 50, k.name)
	}
}

func BenchmarkBronzeChainOn4KiB(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	data := make([]byte, 4096)
	for b.Loop() {
		if _, err := Apply(Draw(r, "bronze", 4096), data); err != nil {
			b.Fatal(err)
		}
	}
}
