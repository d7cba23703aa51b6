package contest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/contest"
	"bogops/validator/journal"
)

func getenv(name string) string {
	return map[string]string{"SEED": "0123456789abcdef", "TOKEN": "a-token-of-the-judge", "SHORT": "0123"}[name]
}

func TestPrint(t *testing.T) {
	files, _ := filepath.Glob("testdata/invalid-*.yml")
	for _, f := range files {
		_, err := contest.Load(f, getenv)
		fmt.Printf("%s\n%v\n", f, err)
	}
	_, _, _, _, _ = json.Marshal, os.Open, strings.Cut, time.Second, journal.Of
	require.True(t, true)
}
