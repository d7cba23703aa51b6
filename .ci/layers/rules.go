package main

// module is the name in go.mod; imports below it are ours.
const module = "bogops"

// fence says that packages of In, unless they are of Spare, import nothing of
// Bars, unless it is of But. Patterns are those of the go command: "a/..." is a
// and all below it. Ours are written without the module's name. A package may
// always import itself (its external tests do) and what lies below it.
type fence struct {
	Why       string
	In, Spare []string
	Bars, But []string
	Tests     bool // the rule holds for test files too
}

// fences are the directions of the imports. The first two are what keeps the
// judge fair: were app and validator to share a type, a renamed JSON field
// would compile on both sides and break every other team unseen.
var fences = []fence{
	{
		Why: "app and validator share CHALLENGE.md and nothing else",
		In:  []string{"app/..."}, Bars: []string{"validator/..."}, Tests: true,
	},
	{
		Why: "app and validator share CHALLENGE.md and nothing else",
		In:  []string{"validator/..."}, Bars: []string{"app/..."}, Tests: true,
	},
	{
		Why: "infra serves both sides, so it knows neither",
		In:  []string{"infra/..."}, Bars: []string{"app/...", "validator/..."}, Tests: true,
	},
	{
		Why: "pipelines know the programs by their command lines",
		In:  []string{"pipelines/..."}, Bars: []string{"app/...", "validator/..."}, Tests: true,
	},
	{
		Why: "a roll-out knows what a fleet promises, and no fleet",
		In:  []string{"infra/rollout"}, Bars: []string{module + "/...", "net/http/..."}, Tests: true,
	},
	{
		Why: "a fleet does not know how it is rolled out",
		In:  []string{"infra/fleet/..."}, Bars: []string{module + "/..."}, Tests: true,
	},
	{
		Why: "gin stays in app/api; below it there is only context.Context",
		In:  []string{"..."}, Spare: []string{"app/api/..."},
		Bars: []string{"github.com/gin-gonic/..."}, Tests: true,
	},
	{
		Why: "go-ceph needs cgo and librados, so only the packages behind the tag import it",
		In:  []string{"..."}, Spare: []string{"app/store/radosstore/...", "validator/ceph/...", "app/proof"},
		Bars: []string{"github.com/ceph/go-ceph/..."}, Tests: true,
	},
	{
		Why: "the AWS SDK stays in the S3 store, the certificates' cache, the AWS brick, the resource type s3 and the judge's way to RGW",
		In:  []string{"..."}, Spare: []string{"app/store/s3store/...", "app/certs/...", "validator/aws/...", "validator/ceph/...", "infra/ceph", "infra/concourse/types/s3"},
		Bars: []string{"github.com/aws/..."}, Tests: true,
	},
	{
		Why: "images are made and moved by the registry, the resource types and the pipelines",
		In:  []string{"..."}, Spare: []string{"infra/registry", "infra/concourse/...", "pipelines/..."},
		Bars: []string{"github.com/google/go-containerregistry/..."}, Tests: true,
	},
	{
		Why: "FUSE stays in the file system that tests cut the power of",
		In:  []string{"..."}, Spare: []string{"app/store/filestore/powerfs"},
		Bars: []string{"github.com/hanwen/go-fuse/..."}, Tests: true,
	},
	{
		Why: "the store's promise depends on nothing of ours",
		In:  []string{"app/store"}, Bars: []string{module + "/..."},
	},
	{
		Why: "processing maps bytes to bytes and knows neither store nor HTTP",
		In:  []string{"app/process/..."}, Bars: []string{module + "/...", "net/http/..."},
	},
	{
		Why: "who is admitted depends on numbers and time, and neither on HTTP nor on a store",
		In:  []string{"app/admit/..."}, Bars: []string{module + "/...", "net/http/..."}, Tests: true,
	},
	{
		Why: "what the fall-back asks of places depends on the promise alone",
		In:  []string{"app/store/versioned"}, Bars: []string{module + "/..."}, But: []string{"app/store"},
	},
	{
		Why: "the rules for stores know the promise and no store",
		In:  []string{"app/store/storetest"}, Bars: []string{module + "/..."}, But: []string{"app/store"},
	},
	{
		Why: "a store knows the promise, and neither the other stores nor the API",
		In:  []string{"app/store/..."}, Spare: []string{"app/store", "app/store/storetest"},
		Bars: []string{module + "/..."}, But: []string{"app/store", "app/store/storetest", "app/store/linear", "app/store/versioned/...", "infra/ceph/...", "infra/s3"}, Tests: true,
	},
	{
		Why: "the API serves any store, so it names none",
		In:  []string{"app/api/..."}, Bars: []string{"app/store/...", "app/certs/..."}, But: []string{"app/store"},
	},
	{
		Why: "the document is made from its text alone",
		In:  []string{"app/api/document"}, Bars: []string{module + "/...", "github.com/gin-gonic/..."},
	},
	{
		Why: "certificates must not depend on the store being there",
		In:  []string{"app/certs/..."}, Bars: []string{"app/store/...", "app/api/..."}, Tests: true,
	},
	{
		Why: "go-git stays where the judge hosts its nonces",
		In:  []string{"..."}, Spare: []string{"validator/nonce/..."},
		Bars: []string{"github.com/go-git/..."},
	},
	{
		Why: "what others wrote to test stores stays where it tests ours",
		In:  []string{"..."}, Spare: []string{"app/conformance/..."},
		Bars: []string{"gocloud.dev/...", "github.com/thanos-io/..."}, Tests: true,
	},
	{
		Why: "the suites reach the server by its contract and the stores by theirs",
		In:  []string{"app/conformance/..."}, Bars: []string{module + "/..."}, But: []string{"app/store/..."}, Tests: true,
	},
	{
		Why: "the proof knows the program by its flags and its contract",
		In:  []string{"app/proof"}, Bars: []string{module + "/..."}, But: []string{"app/store/linear", "infra/..."}, Tests: true,
	},
	{
		Why: "verdicts and the journal are what everything else of the judge agrees on",
		In:  []string{"validator/verdict", "validator/journal"}, Bars: []string{module + "/..."}, But: []string{"validator/verdict"},
	},
	{
		Why:  "the score is a pure function of the journal",
		In:   []string{"validator/score/..."},
		Bars: []string{module + "/...", "net/...", "os/...", "syscall", "crypto/rand", "math/rand/..."},
		But:  []string{"validator/journal", "validator/verdict"},
	},
	{
		Why:  "the board shows what the journal says and touches no platform",
		In:   []string{"validator/board/..."},
		Bars: []string{"validator/target/...", "validator/probe/...", "validator/load/...", "validator/chaos/...", "validator/day/..."},
	},
	{
		Why: "the mock of Concourse shares no type with the client that is tested on it",
		In:  []string{"validator/concourse/concoursefake"}, Bars: []string{module + "/..."},
	},
	{
		Why: "what measures writes the journal and never computes points",
		In: []string{"validator/target/...", "validator/probe/...", "validator/oracle/...", "validator/load/...",
			"validator/ledger/...", "validator/audit/...", "validator/chaos/...", "validator/evidence/...", "validator/day/...",
			"validator/ceph/...", "validator/readback/...", "validator/nonce/...", "validator/redeploy/...", "validator/concourse/..."},
		Bars: []string{"validator/score/...", "validator/board/..."}, Tests: true,
	},
}

// vague are names that say nothing of what a file or a directory holds.
var vague = map[string]bool{
	"util": true, "utils": true, "common": true, "commons": true, "helper": true,
	"helpers": true, "impl": true, "manager": true, "misc": true,
}

// maxLines is the longest file that still reads as one idea. Tests may be
// longer: a table of cases is read line by line.
const maxLines = 300
