//go:build ceph

package proof

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/ceph"
	"bogops/infra/ceph/cephtest"
	"bogops/infra/s3"
)

// newParts starts a cluster that may be broken, and an S3 server that knows
// nothing of it.
func newParts(t testing.TB) parts {
	t.Helper()
	cephtest.Needs(t)
	return parts{cephtest.Own(t, ceph.Options{Monitors: 1}), newS3(t)}
}

// newS3 is moto, or the gateway of a second cluster.
func newS3(t testing.TB) s3.Server {
	t.Helper()
	switch kind := os.Getenv("BOGOPS_PROOF_S3"); kind {
	case "", "moto":
		return s3.StartMoto(t)
	case "radosgw":
		at, err := cephtest.Own(t, ceph.Options{Monitors: 1}).Gateway(t.Context())
		require.NoError(t, err)
		return s3.Server{Name: kind, Endpoint: at.Endpoint, AccessKey: at.AccessKey, SecretKey: at.SecretKey}
	default:
		require.FailNow(t, "BOGOPS_PROOF_S3: "+kind+" given; want moto or radosgw")
		return s3.Server{}
	}
}

func setting[T any](t testing.TB, name string, otherwise T, parse func(string) (T, error)) T {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	value, err := parse(text)
	require.NoError(t, err, name)
	return value
}

func seedOf(t testing.TB) uint64 {
	t.Helper()
	return setting(t, "BOGOPS_SEED", uint64(time.Now().UnixNano())%1_000_000, func(text string) (uint64, error) { return strconv.ParseUint(text, 10, 64) })
}

func TestNoFaultLosesOrConfusesWhatWasAcknowledged(t *testing.T) {
	p, seed := newParts(t), seedOf(t)
	soak, freeze := setting(t, "BOGOPS_SOAK", 0, time.ParseDuration), setting(t, "BOGOPS_FREEZE", 10*time.Second, time.ParseDuration)
	program, judge := built(t, "ceph"), newReader(t, p.cluster.Conf(), p.cluster.Keyring("judge"), p.cluster.FSID())
	for began := time.Now(); ; seed++ {
		t.Logf("BOGOPS_SEED=%d", seed)
		var table []string
		begun := time.Now()
		f := newPlatform(t, p, usual, program)
		for _, what := range faults(freeze) {
			went := t.Run(what.name, func(t *testing.T) { table = append(table, f.prove(t, what, judge, seed)) })
			if !went {
				break // the next one would find a broken platform
			}
			require.NoError(t, p.cluster.Ready(t.Context()))
		}
		show(t, fmt.Sprintf("%s\n%s\nseed %d, %d s\n", head, strings.Join(table, "\n"), seed, int(time.Since(begun).Seconds())))
		for _, i := range f.instances {
			i.kill()
		}
		if t.Failed() || time.Since(began) >= soak {
			return
		}
	}
}

// show prints a table, also into the file that BOGOPS_PROOF_TABLE names: what
// passes is not heard of otherwise.
func show(t testing.TB, table string) {
	t.Helper()
	fmt.Print(table)
	name := os.Getenv("BOGOPS_PROOF_TABLE")
	if name == "" {
		return
	}
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer file.Close()
	_, err = file.WriteString(table)
	require.NoError(t, err)
}
