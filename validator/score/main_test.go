package score_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain tries fewer days than rapid's own hundred, each being a whole
// journal; -rapid.checks tries more.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", "25"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
