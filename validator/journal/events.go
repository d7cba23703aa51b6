package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"bogops/validator/verdict"
)

// Kind names an event. Its payload is the struct of the same name below.
type Kind string

// The kinds of events. A journal begins with exactly one Opened.
const (
	KindOpened   Kind = "opened"
	KindResumed  Kind = "resumed"
	KindPhase    Kind = "phase"
	KindVerdict  Kind = "verdict"
	KindVoid     Kind = "void"
	KindCampaign Kind = "campaign"
	KindLoad     Kind = "load"
	KindFault    Kind = "fault"
	KindRedeploy Kind = "redeploy"
	KindLedger   Kind = "ledger"
	KindAudit    Kind = "audit"
	KindReadback Kind = "readback"
	KindHealth   Kind = "health"
	KindNote     Kind = "note"
	KindClosed   Kind = "closed"
)

// Opened is the first line: everything the score and the board need to know of
// the contest. The seed itself is published only by Closed.
type Opened struct {
	Format    int       `json:"format"` // version of this schema, 1
	Validator string    `json:"validator"`
	Contest   string    `json:"contest"` // its id
	Title     string    `json:"title"`
	Timezone  string    `json:"timezone"`
	Locale    string    `json:"locale"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`

	// FirstLoad is the planned start of the first campaign: the bricks' samples
	// end there. FreezeAt is when the public score stops moving.
	FirstLoad *time.Time `json:"first_load,omitempty"`
	FreezeAt  *time.Time `json:"freeze_at,omitempty"`

	Rehearsal bool    `json:"rehearsal"` // the mark "R": not exported as official
	SeedHash  string  `json:"seed_hash"` // hex SHA-256 of the seed's bytes
	Rules     Rules   `json:"rules"`
	RulesHash string  `json:"rules_hash"` // hex SHA-256 of Rules as JSON
	Teams     []Team  `json:"teams"`
	Checks    []Check `json:"checks"`
}

// Rules is what the score depends on beside events.
type Rules struct {
	TimeScale  float64 `json:"time_scale"` // multiplies the durations of the score
	GreenAfter int     `json:"green_after"`
	RedAfter   int     `json:"red_after"`
	Tick       Seconds `json:"tick"`
	Bricks     []Brick `json:"bricks"` // in the order of the wall
	Campaign   float64 `json:"campaign"`
	Integrity  float64 `json:"integrity"`
	Chaos      float64 `json:"chaos"`
	Redeploy   float64 `json:"redeploy"`
	Incidents  float64 `json:"incidents"`
}

// Hash is the hex SHA-256 of the rules as JSON, as RulesHash carries it.
func (r Rules) Hash() string {
	text, err := json.Marshal(r)
	if err != nil {
		return "" // a number that JSON cannot spell; Append will refuse it too
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Seconds is a duration in seconds, as journal lines spell it.
type Seconds float64

// Of is d in seconds.
func Of(d time.Duration) Seconds { return Seconds(d.Seconds()) }

// Duration is the inverse of Of.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

// Brick is one row of the wall. ID is ceph, api, tls, concourse or aws.
type Brick struct {
	ID     string  `json:"id"`
	Title  string  `json:"title"`
	Points float64 `json:"points"`
	InPlay bool    `json:"in_play"`
	Hint   string  `json:"hint,omitempty"` // how to put it in play, where it is not
}

// Team is one contestant, or the unranked witness.
type Team struct {
	ID      string `json:"id"`
	Name    string `json:"name"`   // short: Loutres
	Full    string `json:"full"`   // The Cuddling Sea Otter Pups
	Colour  string `json:"colour"` // blue, orange, grey
	Shape   string `json:"shape"`  // circle, diamond, square
	Mascot  string `json:"mascot"` // otter, panda, lighthouse
	URL     string `json:"url"`
	Witness bool   `json:"witness,omitempty"`
}

// Check is one promise that is checked every tick.
type Check struct {
	ID       string  `json:"id"` // unique: api/put-get
	Brick    string  `json:"brick"`
	Level    string  `json:"level"` // bronze, silver, gold
	Promise  string  `json:"promise"`
	Required bool    `json:"required"` // else bonus
	Weight   float64 `json:"weight"`
}

// Phase opens a part of the day and ends the one before.
type Phase struct {
	Name   string     `json:"name"` // build, campaign, audit, podium
	Title  string     `json:"title"`
	EndsAt *time.Time `json:"ends_at,omitempty"` // when it is planned to end
	Next   string     `json:"next,omitempty"`    // what the countdown counts to, e.g. "first load"
}

// Verdict is the conclusion of one check on one team in one tick.
type Verdict struct {
	Tick     int            `json:"tick"` // from 1
	Team     string         `json:"team"`
	Check    string         `json:"check"`
	Brick    string         `json:"brick"`
	Status   verdict.Status `json:"status"`
	Retried  bool           `json:"retried,omitempty"` // the mark "~"
	Message  string         `json:"message"`           // one sentence, also when OK
	Got      string         `json:"got,omitempty"`
	Want     string         `json:"want,omitempty"`
	Seconds  Seconds        `json:"seconds"`
	Evidence string         `json:"evidence,omitempty"` // hex SHA-256 of the evidence file
}

// Void annuls the verdicts of one check of one tick, for all teams when Team
// is empty. The lines stay; the score and the board leave them out.
type Void struct {
	Tick   int    `json:"tick"`
	Check  string `json:"check"`
	Team   string `json:"team,omitempty"`
	Reason string `json:"reason"`
	Author string `json:"author"` // "judge" where the witness did it
}

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
	State    string    `json:"state"` // started, live, failed
	At       time.Time `json:"at"`
	Version  string    `json:"version"`
	Took     Seconds   `json:"took,omitempty"` // started to live
	Weight   float64   `json:"weight"`
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

// Health is how the judge itself is.
type Health struct {
	OK      bool    `json:"ok"`
	Text    string  `json:"text"`
	Lag     Seconds `json:"lag"`
	CPU     float64 `json:"cpu"`     // share of the cores
	Witness string  `json:"witness"` // ok, or what is wrong with it
}

// Note is a sentence for the ticker. Team is empty when it concerns all.
type Note struct {
	Team string `json:"team,omitempty"`
	Icon string `json:"icon"` // a status in lower case, or kill, redo, flag
	Text string `json:"text"`
}

// Resumed says that a judge picked up the journal after a crash or a stop.
type Resumed struct {
	Dropped int    `json:"dropped"` // bytes of an unfinished last line
	Text    string `json:"text"`
}

// Closed ends the journal and publishes the seed.
type Closed struct {
	Seed string `json:"seed"`
	Text string `json:"text"`
}
