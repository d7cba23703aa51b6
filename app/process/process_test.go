package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// apply runs a chain as the API does, with no limit that matters.
func apply(t require.TestingT, raw string, in []byte) []byte {
	chain, err := Parse(raw)
	require.NoError(t, err)
	size, err := chain.Plan(int64(len(in)), math.MaxInt64)
	require.NoError(t, err)
	out, err := io.ReadAll(chain.Apply(context.Background(), bytes.NewReader(in), int64(len(in))))
	require.NoError(t, err)
	require.EqualValues(t, size, len(out), "the plan of %s is wrong", raw)
	return out
}

// The digests are those of FIPS 180-4 and RFC 4231 (test case 2, whose key is
// a nonce by chance); base64 is RFC 4648, section 10.
func TestEveryStepAnswersItsPublishedVector(t *testing.T) {
	for _, v := range []struct{ chain, in, out string }{
		{"sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"sha256", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"sha512", "abc", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
		{"hmac:Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"base64", "", ""}, {"base64", "f", "Zg=="}, {"base64", "fo", "Zm8="}, {"base64", "foobar", "Zm9vYmFy"},
		{"base64", "\xfb\xff", "+/8="},
		{"slice:1:2", "abcd", "bc"}, {"slice:3:9", "abcd", "d"}, {"slice:4:1", "abcd", ""}, {"slice:9:1", "abcd", ""},
		{"slice:0:0", "abcd", ""}, {"slice:9223372036854775807:9223372036854775807", "abcd", ""},
		{"slice:1:9223372036854775807", "abcd", "bcd"},
		{"reverse", "abc", "cba"}, {"reverse", "", ""},
		{"upper", "aZ z{`é\xff", "AZ Z{`é\xff"},
		{"slice:1:3,reverse,upper", "abcdef", "DCB"},
		{"reverse,slice:0:2,base64", "abc", "Y2I="},
	} {
		require.Equal(t, v.out, string(apply(t, v.chain, []byte(v.in))), "%s of %q", v.chain, v.in)
	}
}

func TestCommaAndColonMayBeEscapedAndAreDecodedOnce(t *testing.T) {
	require.Equal(t, "CB", string(apply(t, "slice%3A1%3a2%2Creverse,u%70per", []byte("abcd"))))
	for _, raw := range []string{"slice%253A1%253A2", "upper%252Creverse"} {
		_, err := Parse(raw)
		require.ErrorIs(t, err, ErrChain, "%s was decoded twice", raw)
	}
}

func TestBadChainsAreRefusedWithASentence(t *testing.T) {
	nonce65 := strings.Repeat("n", 65)
	for raw, want := range map[string]string{
		"":                              "bad process chain: it is empty; want 1 to 8 steps",
		",":                             "bad process chain: step 1 is empty",
		"upper,":                        "bad process chain: step 2 is empty",
		"upper,,upper":                  "bad process chain: step 2 is empty",
		"upper%":                        "bad process chain: a % is not followed by two hex digits",
		"upper%zz":                      "bad process chain: a % is not followed by two hex digits",
		"Upper":                         `bad process chain: step 1 "Upper" is unknown; want one of sha256, sha512, hmac, slice, reverse, upper, base64, xor, stretch, gzip, thumbnail`,
		"thumb:9":                       `bad process chain: step 1 "thumb" is unknown; want one of sha256, sha512, hmac, slice, reverse, upper, base64, xor, stretch, gzip, thumbnail`,
		" upper":                        `bad process chain: step 1 " upper" is unknown; want one of sha256, sha512, hmac, slice, reverse, upper, base64, xor, stretch, gzip, thumbnail`,
		"upper:":                        "bad process chain: step 1 upper has 1 arguments; want upper",
		"hmac":                          "bad process chain: step 1 hmac has 0 arguments; want hmac:NONCE",
		"hmac:":                         "bad process chain: step 1 hmac: NONCE is 0 characters long; want 1 to 64",
		"hmac:" + nonce65:               "bad process chain: step 1 hmac: NONCE is 65 characters long; want 1 to 64",
		"hmac:a+b":                      "bad process chain: step 1 hmac: NONCE holds a character outside A-Za-z0-9_-",
		"hmac:é":                        "bad process chain: step 1 hmac: NONCE holds a character outside A-Za-z0-9_-",
		"slice:1":                       "bad process chain: step 1 slice has 1 arguments; want slice:OFFSET:LENGTH",
		"slice:1:2:3":                   "bad process chain: step 1 slice has 3 arguments; want slice:OFFSET:LENGTH",
		"slice::2":                      "bad process chain: step 1 slice: OFFSET is empty; want a decimal number",
		"slice:01:2":                    `bad process chain: step 1 slice: OFFSET "01" has a leading zero`,
		"slice:00:2":                    `bad process chain: step 1 slice: OFFSET "00" has a leading zero`,
		"slice:+1:2":                    `bad process chain: step 1 slice: OFFSET "+1" is no decimal number`,
		"slice:-1:2":                    `bad process chain: step 1 slice: OFFSET "-1" is no decimal number`,
		"slice:1:2e3":                   `bad process chain: step 1 slice: LENGTH "2e3" is no decimal number`,
		"slice:1:0x2":                   `bad process chain: step 1 slice: LENGTH "0x2" is no decimal number`,
		"slice:1:1_0":                   `bad process chain: step 1 slice: LENGTH "1_0" is no decimal number`,
		"slice:0:9223372036854775808":   `bad process chain: step 1 slice: LENGTH "9223372036854775808" is over 9223372036854775807`,
		"xor":                           "bad process chain: step 1 xor has 0 arguments; want xor:NONCE",
		"xor:":                          "bad process chain: step 1 xor: NONCE is 0 characters long; want 1 to 64",
		"xor:a.b":                       "bad process chain: step 1 xor: NONCE holds a character outside A-Za-z0-9_-",
		"stretch:n":                     "bad process chain: step 1 stretch has 1 arguments; want stretch:NONCE:N",
		"stretch::1":                    "bad process chain: step 1 stretch: NONCE is 0 characters long; want 1 to 64",
		"stretch:n:0":                   "bad process chain: step 1 stretch: N is 0; want 1 to 100000",
		"stretch:n:100001":              "bad process chain: step 1 stretch: N is 100001; want 1 to 100000",
		"stretch:n:01":                  `bad process chain: step 1 stretch: N "01" has a leading zero`,
		"stretch:n:1e3":                 `bad process chain: step 1 stretch: N "1e3" is no decimal number`,
		"stretch:n:9223372036854775808": `bad process chain: step 1 stretch: N "9223372036854775808" is over 9223372036854775807`,
		"thumbnail:9":                   "bad process chain: step 1 thumbnail has 1 arguments; want thumbnail:WIDTH:HEIGHT",
		"thumbnail:0:9":                 "bad process chain: step 1 thumbnail: WIDTH is 0; want 1 to 1024",
		"thumbnail:9:1025":              "bad process chain: step 1 thumbnail: HEIGHT is 1025; want 1 to 1024",
		"thumbnail:9:09":                `bad process chain: step 1 thumbnail: HEIGHT "09" has a leading zero`,
		"thumbnail:9:9,upper":           "bad process chain: step 1 thumbnail is one of 2; want it alone",
		"upper,thumbnail:9:9":           "bad process chain: step 2 thumbnail is one of 2; want it alone",
		"thumbnail:9:9,gzip":            "bad process chain: step 1 thumbnail is one of 2; want it alone",
		"gzip:9":                        "bad process chain: step 1 gzip has 1 arguments; want gzip",
		"gzip,upper":                    "bad process chain: step 1 gzip is followed by another; want it last",
		"upper,gzip,gzip":               "bad process chain: step 2 gzip is followed by another; want it last",
		strings.Repeat("upper,", 8):     "bad process chain: 9 steps; want at most 8",
		strings.Repeat("n", 40):         `bad process chain: step 1 "` + strings.Repeat("n", 32) + `…" is unknown; want one of sha256, sha512, hmac, slice, reverse, upper, base64, xor, stretch, gzip, thumbnail`,
		"upper,slice:0:18446744073709":  "",
	} {
		_, err := Parse(raw)
		if want == "" {
			require.NoError(t, err, raw)
			continue
		}
		require.EqualError(t, err, want, "chain %q", raw)
		require.ErrorIs(t, err, ErrChain)
	}
	_, err := Parse("upper" + strings.Repeat(",upper", 7))
	require.NoError(t, err, "8 steps are allowed")
}

func TestTheInputOfEveryStepIsHeldToTheLimit(t *testing.T) {
	for _, c := range []struct {
		chain string
		size  int64
		ok    bool
	}{
		{"upper", 300, true},
		{"upper", 301, false},
		{"slice:0:1", 301, false}, // also a step that would not read it all
		{"base64", 300, true},     // its output may exceed the limit
		{"base64,sha256", 225, true},
		{"base64,sha256", 226, false},
		{"slice:0:1,upper", 300, true},
		{"base64,slice:0:1", 300, false},
		{"upper", math.MaxInt64, false},
	} {
		chain, err := Parse(c.chain)
		require.NoError(t, err)
		_, err = chain.Plan(c.size, 300)
		if c.ok {
			require.NoError(t, err, "%s of %d bytes", c.chain, c.size)
		} else {
			require.ErrorIs(t, err, ErrTooLarge, "%s of %d bytes", c.chain, c.size)
		}
	}
}

func TestSmallReadsGiveTheSameBytes(t *testing.T) {
	in := bytes.Repeat([]byte("the quick brown fox"), 3000)
	for _, raw := range []string{"base64", "upper", "slice:7:50001", "reverse", "base64,reverse,base64", "sha512"} {
		chain, err := Parse(raw)
		require.NoError(t, err)
		slow := chain.Apply(t.Context(), iotest.HalfReader(iotest.DataErrReader(bytes.NewReader(in))), int64(len(in)))
		got, err := io.ReadAll(iotest.OneByteReader(slow))
		require.NoError(t, err)
		require.True(t, bytes.Equal(apply(t, raw, in), got), raw)
	}
}

// A digest of half an object would look like an answer.
func TestAnObjectThatEndsEarlyNeverLooksLikeAnAnswer(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, raw := range []string{"sha256", "sha512", "hmac:n", "slice:2:9", "reverse", "upper", "base64", "base64,reverse,sha256"} {
		chain, err := Parse(raw)
		require.NoError(t, err)
		_, err = io.ReadAll(chain.Apply(t.Context(), strings.NewReader("short"), 6))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, raw)
		failing := io.MultiReader(strings.NewReader("short"), iotest.ErrReader(broken))
		_, err = io.ReadAll(chain.Apply(t.Context(), failing, 6))
		require.ErrorIs(t, err, broken, raw)
	}
}

func TestOnlyReverseHoldsItsInputAndGzipItsCompressor(t *testing.T) {
	for raw, want := range map[string]int64{
		"sha256": 0, "upper,base64,sha512": 0, "slice:0:9": 0,
		"reverse": 1000, "slice:10:20,reverse": 20, "reverse,base64,reverse": 1000 + 1336,
		"xor:n,stretch:n:9": 0, "gzip": gzipHeld, "reverse,gzip": 1000 + gzipHeld,
	} {
		chain, err := Parse(raw)
		require.NoError(t, err)
		require.Equal(t, want, chain.Holds(1000), raw)
	}
}

// 64 MiB go through every streaming step, and all that this allocates is a few
// buffers and one compressor.
func TestAStreamedChainAllocatesBuffersHoweverLargeItsInputIs(t *testing.T) {
	for _, raw := range []string{
		"upper,slice:1:9223372036854775807,base64,xor:n0nce,gzip",
		"xor:abc,upper,slice:7:99999999,hmac:n,sha512", "base64,upper,sha256", "xor:0123456789,stretch:n:2",
	} {
		chain, err := Parse(raw)
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = io.Copy(io.Discard, chain.Apply(t.Context(), zeros{}, 64<<20))
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2<<20), raw)
	}
}

// zeros yields zero bytes without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
