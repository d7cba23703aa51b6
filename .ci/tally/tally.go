package main

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// event is one line of `go test -json`, as `go doc test2json` describes it.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output
	Test       string
	Elapsed    float64 // seconds
	Output     string
}

// tally counts the leaves of the tree of tests: a table of ten cases is ten
// tests, and the table around it none.
type tally struct {
	out            io.Writer
	passed, failed int
	left           []string // "package: test: reason"
	output         map[string][]string
	parents        map[string]bool
	inPackage      map[string]*packageCount
	build          map[string][]string
}

type packageCount struct {
	passed, failed, skipped int
	excluded                []string // "test: reason"
}

// exclusion begins the reason of a test that is of no use to this project, as
// some of a foreign suite are. It is shown each time, and is not left out:
// nothing that could be installed would run it.
const exclusion = "excluded by docs/decisions.md: "

func newTally(out io.Writer) *tally {
	return &tally{
		out: out, output: map[string][]string{}, parents: map[string]bool{},
		inPackage: map[string]*packageCount{}, build: map[string][]string{},
	}
}

// line takes one line of the stream. What is no event is shown as it is: it is
// the go command itself that complains.
func (t *tally) line(line []byte) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil || e.Action == "" {
		fmt.Fprint(t.out, string(line))
		return
	}
	switch {
	case e.Action == "build-output":
		t.build[e.ImportPath] = append(t.build[e.ImportPath], e.Output)
	case e.Action == "build-fail":
		fmt.Fprint(t.out, strings.Join(t.build[e.ImportPath], ""))
	case e.Action == "output":
		name := e.Package + " " + e.Test
		t.output[name] = append(t.output[name], e.Output)
	case e.Test != "":
		t.test(e)
	default:
		t.pkg(e)
	}
}

func (t *tally) test(e event) {
	name := e.Package + " " + e.Test
	count := t.of(e.Package)
	switch e.Action {
	case "run":
		if i := strings.LastIndex(e.Test, "/"); i >= 0 {
			t.parents[e.Package+" "+e.Test[:i]] = true
		}
		return
	case "pass":
		if !t.parents[name] {
			count.passed++
		}
	case "skip":
		why := reason(t.output[name])
		if decided, is := strings.CutPrefix(why, exclusion); is {
			count.excluded = append(count.excluded, e.Test+": "+decided)
			break
		}
		count.skipped++
		t.left = append(t.left, fmt.Sprintf("%s: %s: %s", short(e.Package), e.Test, why))
	case "fail":
		if !t.parents[name] {
			count.failed++
		}
		fmt.Fprint(t.out, strings.Join(t.output[name], ""))
	default:
		return
	}
	delete(t.output, name)
}

// pkg ends a package. One that fails with no failing leaf (it did not build,
// it panicked, a parent failed after its children) is one failure.
func (t *tally) pkg(e event) {
	if e.Action != "pass" && e.Action != "fail" {
		return
	}
	count := t.of(e.Package)
	if e.Action == "fail" {
		if count.failed == 0 {
			count.failed = 1
		}
		fmt.Fprint(t.out, strings.Join(t.output[e.Package+" "], ""))
	}
	t.passed += count.passed
	t.failed += count.failed
	word := "ok  "
	if e.Action == "fail" {
		word = "FAIL"
	}
	line := fmt.Sprintf("%s %-32s %4d passed", word, short(e.Package), count.passed)
	if count.failed > 0 {
		line += fmt.Sprintf(", %d failed", count.failed)
	}
	if count.skipped > 0 {
		line += fmt.Sprintf(", %d left out", count.skipped)
	}
	took := time.Duration(e.Elapsed * float64(time.Second)).Round(100 * time.Millisecond)
	fmt.Fprintf(t.out, "%s  %s\n", line, took)
	for _, what := range count.excluded {
		fmt.Fprintf(t.out, "     excluded %s\n", what)
	}
}

func (t *tally) of(pkg string) *packageCount {
	if t.inPackage[pkg] == nil {
		t.inPackage[pkg] = &packageCount{}
	}
	return t.inPackage[pkg]
}

// counts is the file for the script that called us.
func (t *tally) counts() string {
	lines := []string{fmt.Sprintf("%d %d", t.passed, t.failed)}
	return strings.Join(append(lines, t.left...), "\n") + "\n"
}

// place is where a test said something: `    disk_test.go:31: `.
var place = regexp.MustCompile(`^\s*\S+\.go:\d+: `)

// reason is what a skipped test said, in one line.
func reason(output []string) string {
	said := ""
	for _, line := range output {
		if at := place.FindString(line); at != "" {
			said = strings.TrimSpace(line[len(at):])
		}
	}
	if said == "" {
		return "it gave no reason"
	}
	return said
}

// short is a package's path below the module.
func short(pkg string) string {
	_, below, ok := strings.Cut(pkg, "/")
	if !ok {
		return pkg
	}
	return below
}
