package probe_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/probe"
	"bogops/validator/verdict"
)

func TestAnHonestPlatformInAnotherLanguagePassesSilver(t *testing.T) {
	t.Parallel()
	for _, v := range runAPI(t, startPython(t, "silver.py"), probe.Silver) {
		require.Equal(t, verdict.OK, v.Status, "%s: %s: got %s, want %s", v.Check, v.Message, v.Got, v.Want)
		require.False(t, v.Retried, v.Check)
	}
}

func TestAPlatformThatDoesInAnotherWayWhatTheContractLeavesOpenPassesSilver(t *testing.T) {
	t.Parallel()
	for _, v := range runAPI(t, startPython(t, "odd_silver.py"), probe.Silver) {
		require.Equal(t, verdict.OK, v.Status, "%s: %s: got %s, want %s", v.Check, v.Message, v.Got, v.Want)
	}
}

// sentence is what a check says of a platform that knows no silver.
type sentence struct{ message, got, want string }

func TestABronzePlatformFailsSilverWithOneTrueSentenceForEachMissingPromise(t *testing.T) {
	t.Parallel()
	sentences := map[string]sentence{
		"api/create-only":       {"^PUT with If-None-Match: \\* of a key that holds an object$", "^200$", "^412$"},
		"api/raced-create":      {"^32 concurrent PUTs of a new key with If-None-Match: \\*$", "^32 acknowledged$", "^one 2xx, and 412 for the others$"},
		"api/swap":              {"^PUT with the ETag of a replaced object in If-Match$", "^200$", "^412$"},
		"api/raced-swap":        {"^32 concurrent PUTs with the right If-Match$", "^32 acknowledged$", "^one 2xx, and 412 for the others$"},
		"api/delete-if-match":   {"^DELETE with the ETag of a replaced object in If-Match$", "^204$", "^412$"},
		"api/not-modified":      {"^GET with the object's ETag in If-None-Match$", "^200$", "^304$"},
		"api/modified-since":    {"^GET with the object's Last-Modified in If-Modified-Since$", "^200$", "^304$"},
		"api/range":             {"^GET with Range: bytes=0-0 of ", "^200$", "^206$"},
		"api/range-edges":       {"^GET with Range: bytes=\\d+- of ", "^200$", "^416$"},
		"api/if-range":          {"^GET of a range with the object's ETag in If-Range$", "^200$", "^206$"},
		"api/list":              {"^GET of a listing$", "^404 ", "^200$"},
		"api/list-delimiter":    {"^GET of a listing$", "^404 ", "^200$"},
		"api/list-pages":        {"^GET of a listing$", "^404 ", "^200$"},
		"api/list-fresh":        {"^GET of a listing begun after a PUT was acknowledged$", "^404 ", "^200$"},
		"api/list-bad":          {"^GET of a listing with a limit of 0$", "^404 ", "^400$"},
		"api/digest":            {"^PUT of a body that does not match its Content-Digest$", "^200$", "^400$"},
		"api/digest-form":       {"^PUT with a Content-Digest without colons$", "^201$", "^400$"},
		"api/repr-digest":       {"^Repr-Digest of a GET that wants it$", "^nothing$", "^\"sha-256=:.{44}:\"$"},
		"api/metadata":          {"^Bogops-Meta-\\S+ of GET of an object with metadata$", "^nothing$", "^\".+\"$"},
		"api/metadata-replaced": {"^Bogops-Meta-\\S+ of GET after the PUT that set it$", "^nothing$", "^\".+\"$"},
		"api/metadata-limit":    {"^Metadata of an object with 2 KiB of metadata$", "^0 B under one name$", "^the \\d+ B that were put$"},
		"api/xor":               {"^GET with process=xor:\\S of ", "^400 ", "^200$"},
		"api/stretch":           {"^GET with process=stretch:\\S:1 of ", "^400 ", "^200$"},
		"api/gzip":              {"^GET with process=gzip of ", "^400 ", "^200$"},
		"api/process-alone":     {"^GET with process=xor:NONCE$", "^400 ", "^200$"},
		"api/silver-problems":   {"^3 failed conditions and a range outside the object$", "^neither 412 nor 416$", "^412 and 416 with problem documents$"},
	}
	levels := map[string]string{}
	for _, p := range probe.All(probe.Silver) {
		levels[p.Check.ID] = p.Check.Level
	}
	for _, v := range runAPI(t, startPython(t, "bronze.py"), probe.Silver) {
		said := []any{"%s is %s: %s: got %s, want %s", v.Check, v.Status, v.Message, v.Got, v.Want}
		if levels[v.Check] == probe.Bronze {
			require.Equal(t, verdict.OK, v.Status, said...)
			continue
		}
		require.Equal(t, verdict.Mumble, v.Status, said...)
		want, known := sentences[v.Check]
		require.True(t, known, "no sentence is pinned for %s", v.Check)
		require.Regexp(t, want.message, v.Message, said...)
		require.Regexp(t, want.got, v.Got, said...)
		require.Regexp(t, want.want, v.Want, said...)
		delete(sentences, v.Check)
	}
	require.Empty(t, sentences, "sentences of checks that did not run")
}

// silverFaults is every fault of faulty_silver.py, under the one check that
// must find it.
func silverFaults() map[string][]string {
	return map[string][]string{
		"create-only": {"CreateOverSmall", "NeverAgain"}, "raced-create": {"UnsafeCreate"},
		"swap": {"WeakPut", "BothConditions", "SwapOfNothing"}, "raced-swap": {"UnsafeSwap", "LosersStore"},
		"delete-if-match": {"DeleteAnyway", "DeleteOfNothing"},
		"not-modified":    {"StrongRead", "OneTag", "TaglessNotModified"}, "modified-since": {"SinceAnyway", "SinceEver"},
		"range": {"ShortRange", "SuffixFromStart", "NoClip", "RangeOfUnknown"}, "range-edges": {"Bare416", "UnreadRange", "AnyUnit"},
		"if-range": {"AlwaysInRange", "WeakInRange"},
		"list":     {"OrderOfUTF16", "BareETags", "LoosePrefix", "RawPrefix", "ReaderLists"}, "list-delimiter": {"OnlySlash", "PrefixTwice"},
		"list-pages": {"LimitOfObjects", "SkippingCursor", "CountingCursor", "EndlessPages"},
		"list-fresh": {"LateListing", "FirstListing", "FirstSize", "GhostListing", "PrefixOnly"},
		"list-bad":   {"ClampedLimit", "LongDelimiter", "ForgivenCursor"},
		"digest":     {"NoDigest", "LateDigest", "UnchunkedDigest", "DigestOfSome"}, "digest-form": {"UnreadDigest"}, "repr-digest": {"DigestOfPart", "HexDigest"},
		"metadata": {"HeadWithoutMeta", "FirstOfList"}, "metadata-replaced": {"MetaSurvives"}, "metadata-limit": {"EndlessMeta", "CutMeta"},
		"xor": {"RestartingXor"}, "stretch": {"OneMoreRound", "HexPassword", "EndlessStretch"},
		"gzip": {"GzipAnywhere", "GzipAsBytes", "TornGzip"}, "process-alone": {"RangeOfProcessed", "NotModifiedProcessed"},
		"silver-problems": {"ProblemOfCondition", "ProblemOfRange"},
	}
}

func TestASingleFaultOfSilverFailsExactlyTheCheckThatItBreaks(t *testing.T) {
	quick := []string{"UnsafeCreate", "LateListing", "TornGzip"}
	for check, faults := range silverFaults() {
		for _, fault := range faults {
			t.Run(fault, func(t *testing.T) {
				if testing.Short() && !slices.Contains(quick, fault) {
					t.Skip("the long run has it")
				}
				t.Parallel()
				var failed []string
				for _, v := range runAPI(t, startPython(t, "faulty_silver.py", fault), probe.Silver) {
					if v.Status != verdict.OK {
						t.Logf("%s %s: %s: got %s, want %s", v.Check, v.Status, v.Message, v.Got, v.Want)
						failed = append(failed, v.Check)
					}
				}
				require.Equal(t, []string{"api/" + check}, failed)
			})
		}
	}
}
