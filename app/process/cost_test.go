package process

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func parse(t require.TestingT, raw string) Chain {
	chain, err := Parse(raw)
	require.NoError(t, err, raw)
	return chain
}

// everyStep is one chain per step of the table that takes any bytes.
var everyStep = [...]string{
	"sha256", "sha512", "hmac:n0nce", "slice:1:9223372036854775807", "reverse", "upper", "base64",
	"xor:n0nce", "stretch:n0nce:1", "gzip",
}

func TestCostNeverFallsAsTheWorkGrows(t *testing.T) {
	for _, raw := range append(everyStep[:], "thumbnail:9:9", "slice:10:20", "upper,slice:5:1000,reverse,base64,gzip", "sha256,stretch:n:9") {
		chain, before := parse(t, raw), int64(0)
		for _, size := range []int64{0, 1, 63, 64, 1000, 4096, 1 << 20, 64 << 20, 1 << 40, math.MaxInt64} {
			cost := chain.Cost(size)
			require.GreaterOrEqual(t, cost, before, "%s of %d bytes", raw, size)
			require.Positive(t, cost, "%s of %d bytes", raw, size)
			before = cost
		}
	}
	before := int64(0)
	for n := 1; n <= maxIterations; n *= 10 {
		cost := parse(t, fmt.Sprintf("stretch:n:%d", n)).Cost(9)
		require.Greater(t, cost, before, "%d iterations", n)
		before = cost
	}
}

func TestCostIsTheSumOverTheStepsAndTheirOwnInputs(t *testing.T) {
	for chain, steps := range map[string]map[string]int64{
		"base64,sha512":             {"base64": 3 << 20, "sha512": 4 << 20},
		"slice:10:100,xor:n,upper":  {"slice:10:100": 3 << 20, "xor:n": 100, "upper": 100},
		"sha256,stretch:n:500,gzip": {"sha256": 3 << 20, "stretch:n:500": 64, "gzip": 64},
	} {
		sum := int64(0)
		for raw, size := range steps {
			sum += parse(t, raw).Cost(size)
		}
		require.InDelta(t, sum, parse(t, chain).Cost(3<<20), 8, chain)
	}
	require.Equal(t, parse(t, "slice:10:100").Cost(110), parse(t, "slice:10:100").Cost(1<<30), "slice reads no further than its end")
}

func TestNoUsualChainIsWeighedAtNothingOrAtHours(t *testing.T) {
	for _, raw := range everyStep {
		cost := parse(t, raw).Cost(64 << 20)
		require.Greater(t, cost, int64(1e5), "%s of 64 MiB in a tenth of a millisecond", raw)
		require.Less(t, cost, int64(10e9), "%s of 64 MiB in ten seconds", raw)
	}
	require.Greater(t, parse(t, "stretch:n:100000").Cost(0), int64(5e6))
}

// BenchmarkCost prints what each step takes beside what it is declared to
// take. It fails for no time: it is where the weights come from.
func BenchmarkCost(b *testing.B) {
	for _, raw := range append(everyStep[:], "stretch:n0nce:100000", "upper,xor:n,base64,sha256") {
		for _, size := range []int64{0, 4 << 10, 1 << 20, 16 << 20} {
			b.Run(fmt.Sprintf("%s/%d", raw, size), func(b *testing.B) {
				chain := parse(b, raw)
				text, letters := make([]byte, 1<<20), rand.New(rand.NewPCG(1, 2))
				for i := range text {
					text[i] = 'a' + byte(letters.IntN(16)) // compresses by half, slowly
				}
				for b.Loop() {
					_, err := io.Copy(io.Discard, chain.Apply(b.Context(), &again{text: text}, size))
					require.NoError(b, err)
				}
				declared, measured := float64(chain.Cost(size)), float64(b.Elapsed().Nanoseconds())/float64(b.N)
				b.ReportMetric(declared, "declared-ns/op")
				b.ReportMetric(declared/measured, "declared/measured")
			})
		}
	}
}

// BenchmarkThumbnail is BenchmarkCost for the step that takes pictures only.
func BenchmarkThumbnail(b *testing.B) {
	for name, file := range pictures(b, 1600, 1200) {
		b.Run(name, func(b *testing.B) {
			var chain Chain
			for b.Loop() {
				looked, in, err := parse(b, "thumbnail:256:256").Look(bytes.NewReader(file))
				require.NoError(b, err)
				_, err = io.Copy(io.Discard, looked.Apply(b.Context(), in, int64(len(file))))
				require.NoError(b, err)
				chain = looked
			}
			declared, measured := float64(chain.Cost(int64(len(file)))), float64(b.Elapsed().Nanoseconds())/float64(b.N)
			b.ReportMetric(declared, "declared-ns/op")
			b.ReportMetric(declared/measured, "declared/measured")
		})
	}
}

// again yields its text over and over.
type again struct {
	text []byte
	at   int
}

func (a *again) Read(p []byte) (int, error) {
	n := copy(p, a.text[a.at:])
	a.at = (a.at + n) % len(a.text)
	return n, nil
}
