package probe

import (
	"encoding/xml"
	"fmt"
	"io"

	"bogops/validator/journal"
	"bogops/validator/verdict"
)

// WriteText writes one line for each verdict: a mark, the check, the sentence,
// and what was got and wanted.
func WriteText(w io.Writer, verdicts []journal.Verdict) error {
	width := 0
	for _, v := range verdicts {
		width = max(width, len(v.Check))
	}
	for _, v := range verdicts {
		if _, err := fmt.Fprintf(w, "%s %-11s %-*s  %s\n", mark(v), v.Status, width, v.Check, sentence(v)); err != nil {
			return err
		}
	}
	return nil
}

// sentence is the message, completed by got and want.
func sentence(v journal.Verdict) string {
	if v.Got == "" && v.Want == "" {
		return v.Message
	}
	return fmt.Sprintf("%s: got %s, want %s", v.Message, v.Got, v.Want)
}

func mark(v journal.Verdict) string {
	switch {
	case v.Status == verdict.OK && v.Retried:
		return "~"
	case v.Status == verdict.OK:
		return "✓"
	case v.Status == verdict.NotInPlay:
		return "-"
	}
	if _, counts := v.Status.Share(); counts {
		return "✗"
	}
	return "?"
}

// The elements of a JUnit report, as continuous integration servers read it.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     float64     `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string     `xml:"classname,attr"`
		Name    string     `xml:"name,attr"`
		Time    float64    `xml:"time,attr"`
		Failure *junitNote `xml:"failure"`
		Error   *junitNote `xml:"error"`
		Skipped *junitNote `xml:"skipped"`
	}
	junitNote struct {
		Type    string `xml:"type,attr,omitempty"`
		Message string `xml:"message,attr"`
	}
)

// WriteJUnit writes the verdicts as a JUnit report with one suite for each
// brick: what the team answers for is a failure, what the judge answers for an
// error, and what is not known is skipped.
func WriteJUnit(w io.Writer, verdicts []journal.Verdict) error {
	var report junitSuites
	place := map[string]int{}
	for _, v := range verdicts {
		at, ok := place[v.Brick]
		if !ok {
			at = len(report.Suites)
			place[v.Brick] = at
			report.Suites = append(report.Suites, junitSuite{Name: v.Brick})
		}
		report.Suites[at].add(v)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(report); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(v journal.Verdict) {
	c := junitCase{Class: v.Brick, Name: v.Check, Time: float64(v.Seconds)}
	note := &junitNote{Type: string(v.Status), Message: sentence(v)}
	switch ExitCode([]journal.Verdict{v}) {
	case ExitFail:
		c.Failure = note
		s.Failures++
	case ExitJudge:
		c.Error = note
		s.Errors++
	case ExitInconclusive:
		c.Skipped = note
		s.Skipped++
	}
	s.Tests++
	s.Time += c.Time
	s.Cases = append(s.Cases, c)
}
