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
	KindStep     Kind = "step"
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

	// FirstLoad is the planned start of the first campaign: what a brick earns
	// for staying green ends there. FreezeAt is when the public score stops
	// moving.
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
	Team  string `json:"team,omitempty"`
	Icon  string `json:"icon"` // a status in lower case, or kill, redo, flag
	Text  string `json:"text"`
	Fault string `json:"fault,omitempty"` // the fault that the judge could not put back
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
