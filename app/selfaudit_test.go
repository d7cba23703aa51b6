package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTheAuditFindsWhatWasTakenFromBelow removes one object's file and damages
// another's, under a server that is told to be alone and under one that is not.
func TestTheAuditFindsWhatWasTakenFromBelow(t *testing.T) {
	for alone, want := range map[bool][]string{
		true:  {"bogops_audit_lost_objects 2", `bogops_audit_objects_total{result="absent"} 0`},
		false: {"bogops_audit_lost_objects 1", `bogops_audit_objects_total{result="absent"} 1`},
	} {
		t.Run(fmt.Sprintf("alone=%t", alone), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			app, _ := startHere(t, "--store", "file:"+dir, "--admin-listen", "127.0.0.1:0", "--audit-rate", "1000", fmt.Sprintf("--store-alone=%t", alone))
			admin := adminURL(t, app)
			for i := range 20 {
				status, _, err := call(http.DefaultClient, "PUT", fmt.Sprintf("%s/v1/objects/%d-5ecret", app.url, i), strings.NewReader("some bytes"))
				require.NoError(t, err)
				require.Equal(t, 201, status)
			}
			require.Eventually(t, func() bool {
				return slices.ContainsFunc(metrics(t, admin), func(line string) bool {
					return strings.HasPrefix(line, `bogops_audit_objects_total{result="verified"} `) && !strings.HasSuffix(line, " 0")
				})
			}, 20*time.Second, 10*time.Millisecond)
			require.Contains(t, metrics(t, admin), "bogops_audit_lost_objects 0")

			files, err := filepath.Glob(filepath.Join(dir, "objects", "*", "*"))
			require.NoError(t, err)
			require.Len(t, files, 20)
			require.NoError(t, os.Remove(files[3]))
			text, err := os.ReadFile(files[4])
			require.NoError(t, err)
			text[len(text)-8] ^= 1
			require.NoError(t, os.WriteFile(files[4], text, 0o600))
			for _, line := range want {
				require.Eventually(t, func() bool { return slices.Contains(metrics(t, admin), line) }, 20*time.Second, 10*time.Millisecond, line)
			}
			require.Contains(t, app.out.String(), "an acknowledged object is lost")
			require.NotContains(t, app.out.String(), "5ecret")
		})
	}
}

func TestNothingIsAuditedWhereTheRateIsNone(t *testing.T) {
	app, _ := startHere(t, "--store", "mem:", "--admin-listen", "127.0.0.1:0", "--audit-rate", "0")
	require.NotContains(t, strings.Join(metrics(t, adminURL(t, app)), "\n"), "bogops_audit")
}
