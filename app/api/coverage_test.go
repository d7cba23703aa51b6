package api

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
)

// documented is the document that every answer of these tests is held against.
// It also notes what was seen, so that TestMain can tell what nothing produced.
var documented = sync.OnceValues(func() (*conformance, error) { return newConformance(openapi) })

// held is next, and every answer of it that differs from the document fails t.
func held(t *testing.T, next http.Handler) http.Handler {
	t.Helper()
	c, err := documented()
	if err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	return witness{next, func(e exchange) {
		for _, finding := range c.check(e) {
			t.Errorf("%s: %s (openapi.yaml)", e, finding)
		}
	}}
}

// unproduced are documented answers that no test of this package can produce,
// each with its reason.
var unproduced = map[string]string{
	"429": "the contract lets a platform choose; this one answers 503",
}

// all lists every answer that the document has.
func (c *conformance) all() []string {
	var all []string
	for path, item := range c.doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				all = append(all, method+" "+path+" "+status)
			}
		}
	}
	for begin, statuses := range c.elsewhere {
		for status := range statuses {
			all = append(all, begin+" elsewhere "+status)
		}
	}
	sort.Strings(all)
	return all
}

// missing lists the documented answers that were not seen and are not excused,
// and excuses for what was seen or is not documented.
func (c *conformance) missing(excused map[string]string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var missing []string
	needed := map[string]bool{}
	for _, answer := range c.all() {
		status := answer[strings.LastIndexByte(answer, ' ')+1:]
		switch {
		case c.seen[answer]:
		case excused[answer] != "":
			needed[answer] = true
		case excused[status] != "":
			needed[status] = true
		default:
			missing = append(missing, answer)
		}
	}
	for excuse := range excused {
		if !needed[excuse] {
			missing = append(missing, excuse+" (excused, and not needed)")
		}
	}
	slices.Sort(missing)
	return missing
}

// TestMain wants, after a whole run, that every documented answer was produced.
func TestMain(m *testing.M) {
	code := m.Run()
	if c, err := documented(); code == 0 && err == nil && whole() {
		missing := c.missing(unproduced)
		fmt.Printf("openapi.yaml: %d answers documented, %d not produced by any test\n", len(c.all()), len(missing))
		for _, answer := range missing {
			fmt.Println("FAIL not produced:", answer)
			code = 1
		}
	}
	os.Exit(code)
}

// whole says that no flag left tests out.
func whole() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return !testing.Short() && flag.Lookup("test.fuzzworker").Value.String() != "true"
}
