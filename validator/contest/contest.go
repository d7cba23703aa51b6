// Package contest is the organiser's file: what the contest is, who plays and
// by which rules.
package contest

import "time"

// Contest is a checked contest file. Secrets are already resolved; String and
// MarshalJSON never show them.
type Contest struct {
	ID        string
	Title     string
	Timezone  *time.Location
	Start     time.Time
	Freeze    time.Time
	End       time.Time
	Seed      Secret
	Locale    string
	Judge     Judge
	Trust     Trust
	Teams     []Team
	Bricks    []Brick
	Points    Points
	Campaigns []Campaign
}

// Points are what the parts beside the bricks are worth. The zero value stands
// for 300, 50, 150, 100 and 100, which make 1,000 with the bricks' 300
// (CHALLENGE.md).
type Points struct{ Campaign, Integrity, Chaos, Redeploy, Incidents float64 }

// Secret is a value that must not be printed.
type Secret string

// String hides the value.
func (Secret) String() string { return "(secret)" }

// GoString hides the value from %#v too.
func (Secret) GoString() string { return "(secret)" }

// MarshalText hides the value from JSON and YAML.
func (Secret) MarshalText() ([]byte, error) { return []byte("(secret)"), nil }

// Judge is how the judge works.
type Judge struct {
	Tick        time.Duration
	TimeScale   float64
	GreenAfter  int
	RedAfter    int
	EvidenceDir string
	KeepBodies  int64  // bytes of a body kept as evidence
	Control     string // host:port that answers while the judge's network works
	URL         string // where the teams' Concourse reaches the judge's repositories; empty: not said
}

// Trust is which roots a platform's chain may end in.
type Trust struct {
	Roots         string // mozilla
	RehearsalRoot string // path of a PEM file; marks the contest "R"
	MinValidity   time.Duration
}

// Team is one contestant.
type Team struct {
	ID, Name, Full        string
	Colour, Shape, Mascot string
	Witness               bool
	URL                   string
	Token, ReaderToken    Secret
	Resolve               map[string]string // name → address:port, in rehearsals only
	HTTPPort              int
	Ceph                  *Ceph // nil: no access was given
	Concourse             *Concourse
	AWS                   *AWS
}

// Ceph is how the judge reaches a team's Ceph, by Mode: rados (Monitors, User,
// Key, Pool), rgw (Endpoint, AccessKey, SecretKey, Bucket) or exec (Command).
// With rgw and exec the monitors are asked by Monitors, User and Key, or by
// Status; without one of them nothing is proven.
type Ceph struct {
	Mode                 string
	Monitors             []string
	User                 string
	Key                  Secret
	Pool, Namespace      string
	Endpoint, Bucket     string
	AccessKey, SecretKey Secret
	Command              []string // called with POOL NAMESPACE NAME OFFSET LENGTH
	Status               []string // called with the words of a ceph command that changes nothing
	Metrics              string   // URL of the mgr's metrics
	Sentinel             Sentinel
	StopOSD              []string // called with stop or start; stops and starts one OSD
}

// Sentinel is how the organiser removes one agreed object inside Ceph. The zero
// Sentinel is none.
type Sentinel struct {
	Key     string   // of the object; empty: the judge draws a fresh one
	Command []string // called with POOL NAMESPACE NAME for each RADOS object
}

// Concourse is a team's pipeline, with a login of the role pipeline-operator:
// User and Password, or Token.
type Concourse struct {
	URL, Team, Pipeline, User string
	Password, Token           Secret
}

// AWS is the role that the judge takes in a team's account.
type AWS struct {
	Role, Region string
	ExternalID   Secret
}

// Brick is one of the five, with its points.
type Brick struct {
	ID     string // ceph, api, tls, concourse, aws
	Title  string
	Points float64
	Level  string // api only: bronze, silver, gold
	InPlay bool
	Hint   string
}

// Campaign is one load campaign.
type Campaign struct {
	ID        string
	At        time.Time // when the first request is due
	Duration  time.Duration
	Ramp      []Stage
	Mix       Mix
	Sizes     []Size
	SLO       map[string]SLO // put, get
	Faults    []Fault
	Redeploys []Redeploy
}

// Stage moves the rate to To in For, or holds it.
type Stage struct {
	To  float64 // requests a second
	For time.Duration
}

// Mix is the share of each operation; the three need not sum to 100.
type Mix struct{ Put, Get, GetProcess float64 }

// Size is a class of object sizes and its share.
type Size struct {
	Bytes int64
	Share float64
}

// SLO is the target of a p99 and the most that counts as good.
type SLO struct{ Target, Max time.Duration }

// Fault is planned at an offset of the campaign.
type Fault struct {
	At     time.Duration
	Kind   string
	Weight float64
}

// Redeploy is planned at an offset of the campaign.
type Redeploy struct {
	At     time.Duration
	Job    string
	Weight float64
}
