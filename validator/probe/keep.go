package probe

import (
	"strings"
	"time"

	"bogops/validator/evidence"
	"bogops/validator/journal"
	"bogops/validator/target"
)

// Document is one verdict's evidence.
type Document struct {
	At       time.Time       `json:"at"`
	URL      string          `json:"url"`
	Control  string          `json:"control,omitempty"`
	Verdict  journal.Verdict `json:"verdict"` // without the hash of this document
	Attempts []Attempt       `json:"attempts"`
}

// Attempt is one run of the check.
type Attempt struct {
	Error     string            `json:"error,omitempty"`
	Exchanges []target.Exchange `json:"exchanges"`
	Facts     []Fact            `json:"facts,omitempty"`
}

// Fact is what a check learned elsewhere than from the platform, or made of what
// it learned: the hashes of a round trip, the pieces and where they lie.
type Fact struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// keep redacts v, writes its evidence and notes the hash. Evidence that cannot
// be written does not change the verdict: the disk is the judge's trouble, and
// the verdict then says so by having none.
func keep(v journal.Verdict, at time.Time, attempts []outcome, t target.Target, env Env) journal.Verdict {
	secrets := []string{t.Token, t.ReaderToken}
	if cluster := env.Ceph[t.ID]; cluster != nil {
		secrets = append(secrets, cluster.Secrets...)
	}
	if way := env.Concourse[t.ID]; way != nil {
		secrets = append(secrets, way.Secrets...)
	}
	redactor := &evidence.Redactor{}
	if env.Evidence != nil {
		redactor = env.Evidence.Redact(secrets...)
	} else {
		redactor.Add(secrets...)
	}
	v.Message, v.Got, v.Want = redactor.String(v.Message), redactor.String(v.Got), redactor.String(v.Want)
	if env.Evidence == nil {
		return v
	}
	document := Document{At: at.UTC(), URL: t.URL.Redacted(), Control: t.Control, Verdict: v}
	for _, a := range attempts {
		kept := Attempt{Exchanges: once(a.exchanges), Facts: a.facts}
		if a.err != nil {
			kept.Error = a.err.Error()
		}
		document.Attempts = append(document.Attempts, kept)
	}
	hash, err := env.Evidence.Put(document)
	if err != nil {
		v.Message += " (no evidence: " + firstLine(err.Error()) + ")"
		return v
	}
	v.Evidence = hash
	return v
}

// once leaves each chain in the first exchange that saw it: most connections
// of a check see the same.
func once(exchanges []target.Exchange) []target.Exchange {
	seen := map[string]bool{}
	for i, e := range exchanges {
		if e.Chain != "" && seen[e.Chain] {
			exchanges[i].Chain = "as above"
		}
		seen[e.Chain] = true
	}
	return exchanges
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
