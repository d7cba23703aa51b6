package journal

import "time"

// Campaign opens a load campaign. Its At is the T0 of every second below.
type Campaign struct {
	ID       string         `json:"id"`
	Title    string         `json:"title"`
	At       time.Time      `json:"at"`
	Duration Seconds        `json:"duration"`
	Stages   []Stage        `json:"stages"`
	SLO      map[string]SLO `json:"slo"` // by operation: put, get
	PlanHash string         `json:"plan_hash"`
	Windows  []Window       `json:"windows"` // faults and redeployments, fixed by the plan
	Peak     float64        `json:"peak"`    // requests a second
}

// Stage is a linear part of the ramp: the rate goes from From to To.
type Stage struct {
	From    float64 `json:"from"` // requests a second
	To      float64 `json:"to"`
	Seconds Seconds `json:"seconds"`
}

// SLO is when an answer is good (at most Max), and when its latency is perfect
// (p99 at most Target). Both count from when the request was due.
type SLO struct {
	Target Seconds `json:"target"`
	Max    Seconds `json:"max"`
}

// Window is a part of a campaign that is scored as a fault or a redeployment
// and not as baseline. ID is that of its Fault or Redeploy events.
type Window struct {
	ID     string  `json:"id"`
	Kind   string  `json:"kind"`   // fault, redeploy
	Action string  `json:"action"` // kill-instance, app-deploy
	Title  string  `json:"title"`  // Instance killed
	From   Seconds `json:"from"`   // after T0
	Length Seconds `json:"length"`
	Weight float64 `json:"weight"`
}

// Load is one second of one team's campaign. Every arrival that was due in
// that second is in it exactly once, whenever its answer came; a second is
// journalled when all of its arrivals are settled.
type Load struct {
	Campaign     string            `json:"campaign"`
	Team         string            `json:"team"`
	Second       int               `json:"second"`                 // after T0, from 0
	Offered      int               `json:"offered"`                // by the plan, less Unsent
	Unsent       int               `json:"unsent,omitempty"`       // the judge could not send: nobody's fault
	Right        int               `json:"right"`                  // correct, however late
	Good         int               `json:"good"`                   // correct and within SLO max
	Puts         int               `json:"puts"`                   // offered
	Acked        int               `json:"acked"`                  // PUTs acknowledged
	Errors       map[string]int    `json:"errors,omitempty"`       // by kind: late, 5xx, shed, timeout, reset, refused, unserved, wrong
	Latency      map[string]string `json:"latency,omitempty"`      // by operation: base64 V2 compressed HdrHistogram, microseconds, of the right answers
	Worst        map[string]int    `json:"worst,omitempty"`        // by operation: arrivals to count at SLO max (wrong or unserved)
	P99          Seconds           `json:"p99"`                    // of this second, all operations, for the board
	Instances    int               `json:"instances"`              // distinct instances that answered in the last few seconds
	Lag          Seconds           `json:"lag"`                    // p99 of the judge's own lag
	Inconclusive bool              `json:"inconclusive,omitempty"` // our own fault: the second leaves the score
}

// Fault is one step in the life of an injected fault on one team.
type Fault struct {
	ID       string    `json:"id"`
	Campaign string    `json:"campaign"`
	Team     string    `json:"team"`
	Kind     string    `json:"kind"` // kill-instance
	Title    string    `json:"title"`
	State    string    `json:"state"` // injected, verified, unverified, refused, rolled-back, healed
	At       time.Time `json:"at"`
	Weight   float64   `json:"weight"`
	Detail   string    `json:"detail,omitempty"`
}

// Redeploy is one step in the life of a redeployment of one team.
type Redeploy struct {
	ID       string    `json:"id"`
	Campaign string    `json:"campaign"`
	Team     string    `json:"team"`
	Job      string    `json:"job"`
	State    string    `json:"state"` // started, live, failed, or refused: the judge itself cannot see it through
	At       time.Time `json:"at"`
	Version  string    `json:"version"`        // as the platform describes it once live
	Took     Seconds   `json:"took,omitempty"` // from the trigger to live
	Weight   float64   `json:"weight"`
	Detail   string    `json:"detail,omitempty"`
}

// Step is one event on the way of a redeployment, from the commit of its nonce
// to its being live. It is there to be shown: no point depends on it.
type Step struct {
	ID       string    `json:"id"` // of the redeployment
	Campaign string    `json:"campaign"`
	Team     string    `json:"team"`
	At       time.Time `json:"at"`
	Name     string    `json:"step"`            // committed, checking, checked, triggered, pending, started, took, task, task-end, finished, left, live
	Build    int       `json:"build,omitempty"` // Concourse's number of the build; 0: none yet
	Detail   string    `json:"detail,omitempty"`
}

// Ledger pins a team's ledger file after a campaign.
type Ledger struct {
	Campaign     string `json:"campaign"`
	Team         string `json:"team"`
	File         string `json:"file"`
	SHA256       string `json:"sha256"`
	Acknowledged int    `json:"acknowledged"` // keys with an acknowledged version
	Maybe        int    `json:"maybe"`        // writes of unknown outcome
}

// Audit is how far the re-reading of acknowledged objects is; the line with
// Done counts, those before it are progress.
type Audit struct {
	Campaign     string    `json:"campaign"`
	Team         string    `json:"team"`
	Done         bool      `json:"done"`
	Acknowledged int       `json:"acknowledged"` // keys to re-read
	Checked      int       `json:"checked"`
	OK           int       `json:"ok"`
	Stale        int       `json:"stale"`
	Lost         int       `json:"lost"`
	Corrupt      int       `json:"corrupt"`
	Unreachable  int       `json:"unreachable"`
	Inconclusive int       `json:"inconclusive"`
	Findings     []Finding `json:"findings,omitempty"` // the first 100 that are not OK
}

// Readback is how many objects of a seeded sample of the acknowledged ones had
// their bytes read inside the mandated store (Ceph); the last line of a
// campaign and team counts. What the judge itself could not do is Void.
type Readback struct {
	Campaign string `json:"campaign"`
	Team     string `json:"team"`
	Sampled  int    `json:"sampled"`
	Proven   int    `json:"proven"`
	Void     int    `json:"void"`
	Detail   string `json:"detail,omitempty"`
	Evidence string `json:"evidence,omitempty"` // of every object of the sample
}

// Finding is one acknowledged object that did not come back as it was put.
type Finding struct {
	Key      string `json:"key"`
	Class    string `json:"class"` // stale, lost, corrupt, unreachable
	Got      string `json:"got"`
	Want     string `json:"want"`
	Tries    int    `json:"tries"`
	Evidence string `json:"evidence,omitempty"`
}
