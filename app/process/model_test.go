package process

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// model is the table of CHALLENGE.md once more, over whole slices, as naive as
// can be. gzip is not in it: what that made is compared decompressed.
func model(word string, in []byte) []byte {
	name, args, _ := strings.Cut(word, ":")
	first, second, _ := strings.Cut(args, ":")
	sum := sha256.Sum256(in)
	switch name {
	case "sha256":
		return []byte(hex.EncodeToString(sum[:]))
	case "sha512":
		sum := sha512.Sum512(in)
		return []byte(hex.EncodeToString(sum[:]))
	case "hmac":
		mac := hmac.New(sha256.New, []byte(first))
		mac.Write(in)
		return []byte(hex.EncodeToString(mac.Sum(nil)))
	case "slice":
		offset, _ := strconv.ParseInt(first, 10, 64)
		length, _ := strconv.ParseInt(second, 10, 64)
		from := min(offset, int64(len(in)))
		return in[from : from+min(length, int64(len(in))-from)]
	case "reverse":
		out := slices.Clone(in)
		slices.Reverse(out)
		return out
	case "upper":
		out := slices.Clone(in)
		for i, c := range out {
			if strings.IndexByte("abcdefghijklmnopqrstuvwxyz", c) >= 0 {
				out[i] = c - 32
			}
		}
		return out
	case "base64":
		return []byte(base64.StdEncoding.EncodeToString(in))
	case "xor":
		out := slices.Clone(in)
		for i := range out {
			out[i] ^= first[i%len(first)]
		}
		return out
	case "stretch":
		rounds, _ := strconv.Atoi(second)
		key, err := pbkdf2.Key(sha256.New, string(sum[:]), []byte(first), rounds, 32)
		if err != nil {
			panic(err)
		}
		return []byte(hex.EncodeToString(key))
	case "gzip":
		return in
	}
	panic(word)
}

// grammar is what a decoded chain looks like, but for the size of its numbers.
var grammar = regexp.MustCompile(`\A((sha256|sha512|reverse|upper|base64|(hmac|xor):[A-Za-z0-9_-]{1,64}` +
	`|slice:(0|[1-9][0-9]*):(0|[1-9][0-9]*)|stretch:[A-Za-z0-9_-]{1,64}:([1-9][0-9]{0,4}|100000))(,|\z)){0,8}(gzip\z)?`)

// picturing is the one chain with a step that stands alone.
var picturing = regexp.MustCompile(`\Athumbnail:([1-9][0-9]{0,2}|10[01][0-9]|102[0-4]):([1-9][0-9]{0,2}|10[01][0-9]|102[0-4])\z`)

// modelWords returns the steps of a good chain.
func modelWords(raw string) ([]string, bool) {
	text, err := url.PathUnescape(raw)
	if err != nil {
		return nil, false
	}
	if picturing.MatchString(text) {
		return []string{text}, true
	}
	words := strings.Split(text, ",")
	if text == "" || strings.HasSuffix(text, ",") || len(grammar.FindString(text)) != len(text) || len(words) > 8 {
		return nil, false
	}
	for _, word := range words {
		if args, is := strings.CutPrefix(word, "slice:"); is {
			for number := range strings.SplitSeq(args, ":") {
				if _, err := strconv.ParseInt(number, 10, 64); err != nil {
					return nil, false
				}
			}
		}
	}
	return words, true
}

// answer applies a chain as the API does, to an object that comes in pieces,
// and decompresses what gzip made.
func answer(t require.TestingT, chain Chain, in []byte, piece int) []byte {
	size, err := chain.Plan(int64(len(in)), math.MaxInt64)
	require.NoError(t, err)
	object := io.Reader(bytes.NewReader(in))
	if piece > 0 {
		object = pieces{object, piece}
	}
	out, err := io.ReadAll(chain.Apply(context.Background(), iotest.DataErrReader(object), int64(len(in))))
	require.NoError(t, err)
	if size != Unknown {
		require.EqualValues(t, size, len(out))
		return out
	}
	unzip, err := gzip.NewReader(bytes.NewReader(out))
	require.NoError(t, err)
	out, err = io.ReadAll(unzip)
	require.NoError(t, err)
	return out
}

// pieces yields at most so many bytes at a time.
type pieces struct {
	in   io.Reader
	most int
}

func (p pieces) Read(b []byte) (int, error) { return p.in.Read(b[:min(len(b), p.most)]) }

func TestAnyChainOverAnyBytesEqualsTheNaiveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "in")
		in = bytes.Repeat(in, rapid.SampledFrom([]int{1, 1, 1, 400}).Draw(t, "times"))
		want, words := in, []string(nil)
		nonce := rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`)
		for range rapid.IntRange(1, MaxSteps).Draw(t, "steps") {
			word := rapid.SampledFrom([]string{"sha256", "sha512", "hmac", "slice", "reverse", "upper", "base64", "xor", "stretch"}).Draw(t, "name")
			switch word {
			case "hmac", "xor":
				word += ":" + nonce.Draw(t, "nonce")
			case "slice":
				at := rapid.IntRange(0, len(want)+2)
				word += ":" + strconv.Itoa(at.Draw(t, "offset")) + ":" + strconv.Itoa(at.Draw(t, "length"))
			case "stretch":
				word += ":" + nonce.Draw(t, "nonce") + ":" + strconv.Itoa(rapid.IntRange(1, 50).Draw(t, "rounds"))
			}
			want, words = model(word, want), append(words, word)
		}
		if len(words) < MaxSteps && rapid.Bool().Draw(t, "gzip") {
			words = append(words, "gzip")
		}
		raw := strings.Join(words, ",")
		found, ok := modelWords(raw)
		require.True(t, ok, raw)
		require.Equal(t, words, found)
		got := answer(t, parse(t, raw), in, rapid.SampledFrom([]int{0, 1, 7, 4096}).Draw(t, "piece"))
		require.True(t, bytes.Equal(want, got), "%v of %d bytes", words, len(in))
	})
}

// FuzzChain holds parsing and applying against the model, whatever the query
// and the object are.
func FuzzChain(f *testing.F) {
	for i, seed := range []string{
		"sha256", "hmac:n0nce", "slice:0:10,reverse,upper", "slice%3A0%3A10%2Cbase64", "", ",", "%", "%2", "upper%00",
		"slice:9223372036854775807:1", "slice:9223372036854775808:1", "hmac:\xff", strings.Repeat("upper,", 9), "sha256:", "x:y:z",
		"xor:abc,xor:abc", "stretch:n:100000", "stretch:n:100001", "stretch:n:7,gzip", "gzip,upper", "base64,base64,reverse,gzip",
		"xor:n\n", "slice:00:1", "slice:1:2:3", "upper%2Cgzip", strings.Repeat("base64,", 7) + "sha512",
	} {
		f.Add(seed, bytes.Repeat([]byte("seventeen bytes.."), i), uint16(i))
	}
	for _, seed := range pictures(f, 40, 30) {
		f.Add("thumbnail:3:2", seed, uint16(0))
		f.Add("thumbnail:1024:1024", seed[:len(seed)-1], uint16(1))
	}
	f.Fuzz(func(t *testing.T, raw string, in []byte, piece uint16) {
		chain, err := Parse(raw)
		words, ok := modelWords(raw)
		if !ok {
			require.ErrorIs(t, err, ErrChain)
			return
		}
		require.NoError(t, err)
		if strings.HasPrefix(words[0], "thumbnail:") {
			_, err := io.ReadAll(chain.Apply(t.Context(), bytes.NewReader(in), int64(len(in))))
			require.True(t, err == nil || errors.Is(err, ErrImage), "%v", err)
			return
		}
		want := in
		for _, word := range words {
			if strings.HasPrefix(word, "stretch:") && len(word)-strings.LastIndex(word, ":") > 4 {
				return // right, and too slow for here
			}
			want = model(word, want)
		}
		require.True(t, bytes.Equal(want, answer(t, chain, in, int(piece))), "%q of %q", raw, in)
		require.Positive(t, chain.Cost(int64(len(in))))
		_, err = chain.Plan(int64(len(in)), int64(len(in))-1)
		require.True(t, errors.Is(err, ErrTooLarge), "an object over the limit")
	})
}
