package board

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
	"bogops/validator/verdict"
)

// demo plays an invented day into a journal, always the same one.
type demo struct {
	t *testing.T
	*journal.Journal
	nanos atomic.Int64 // the day's clock, read by the board as well
	start time.Time
	tick  int
}

var demoBricks = []journal.Brick{
	{ID: "ceph", Title: "Ceph", Points: 80, InPlay: true},
	{ID: "api", Title: "REST API", Points: 60, InPlay: true},
	{ID: "tls", Title: "TLS", Points: 40, InPlay: true},
	{ID: "concourse", Title: "Concourse", Points: 60, InPlay: true},
	{ID: "aws", Title: "AWS", Points: 60, InPlay: true},
}

var demoTeams = []journal.Team{
	{ID: "loutres", Name: "Loutres", Full: "The Cuddling Sea Otter Pups", Colour: "blue", Shape: "circle", Mascot: "otter"},
	{ID: "pandas", Name: "Pandas", Full: "The Laughing Red Panda Cubs", Colour: "orange", Shape: "diamond", Mascot: "panda"},
	{ID: "temoin", Name: "Témoin", Colour: "grey", Shape: "square", Mascot: "lighthouse", Witness: true},
}

func demoOpened() journal.Opened {
	start := time.Date(2026, 12, 4, 8, 30, 0, 0, time.UTC)
	o := journal.Opened{
		Format: 1, Validator: "demo", Contest: "bogops-2026", Title: "Défi des Bog’Ops", Timezone: "Europe/Paris", Locale: "en",
		Start: start, End: start.Add(8*time.Hour + 30*time.Minute), SeedHash: strings.Repeat("9f2c41abd07e", 6)[:64],
		Rules: journal.Rules{TimeScale: 1, GreenAfter: 3, RedAfter: 2, Tick: 60, Bricks: demoBricks, Campaign: 300, Integrity: 50, Chaos: 150, Redeploy: 100},
		Teams: demoTeams,
	}
	for _, b := range demoBricks {
		for i := range 3 {
			o.Checks = append(o.Checks, journal.Check{ID: fmt.Sprintf("%s/%d", b.ID, i+1), Brick: b.ID, Level: "bronze", Required: true, Weight: float64(3 - i)})
		}
	}
	return o
}

// newDemo opens a day; edit may change what it opens with.
func newDemo(t *testing.T, edit ...func(*journal.Opened)) *demo {
	o := demoOpened()
	for _, e := range edit {
		e(&o)
	}
	d := &demo{t: t, start: o.Start}
	d.set(o.Start)
	d.Journal = journal.MemoryAt(o, d.now)
	return d
}

func (d *demo) now() time.Time       { return time.Unix(0, d.nanos.Load()).UTC() }
func (d *demo) set(now time.Time)    { d.nanos.Store(now.UnixNano()) }
func (d *demo) pass(t time.Duration) { d.set(d.now().Add(t)) }

func (d *demo) add(kind journal.Kind, payload any) {
	d.t.Helper()
	_, err := d.Append(kind, payload)
	require.NoError(d.t, err)
}

// finding is what one brick of one team shows during a tick: OK where Status
// is empty.
type finding struct {
	status             verdict.Status
	message, got, want string
}

// look judges one brick of one team as a whole: its first check finds f, the
// others hold, or are as down as the first.
func (d *demo) look(team, brick string, f finding) {
	d.t.Helper()
	for i := range 3 {
		v := journal.Verdict{Tick: d.tick, Team: team, Check: fmt.Sprintf("%s/%d", brick, i+1), Brick: brick, Status: verdict.OK, Message: "Holds."}
		if i == 0 || f.status == verdict.Down || f.status == verdict.JudgeError {
			v.Status, v.Message, v.Got, v.Want = f.status, f.message, f.got, f.want
			v.Evidence = demoEvidenceHash
		}
		d.add(journal.KindVerdict, v)
	}
}

// next begins the next tick, after a tick's time.
func (d *demo) next() {
	d.tick++
	d.set(d.start.Add(time.Duration(d.tick) * time.Minute))
}

var (
	refused   = finding{verdict.Down, "PUT gets no answer from any vantage point", "refused", "201"}
	short1MiB = finding{verdict.Mumble, "A 1 MiB object comes back cut short", "65,536 B", "1,048,576 B"}
	unseen    = finding{verdict.Unproven, "The API stores, but nothing was read back from Ceph", "no such pool", "the same 256 KiB"}
	noMonitor = finding{verdict.Down, "No monitor answers on port 3300", "time-out, 5 s", "HEALTH_OK"}
	unsigned  = finding{verdict.Mumble, "The certificate is signed by itself", "self-signed", "a public root"}
	noCI      = finding{verdict.Down, "ci.pandas.example.net has no address", "NXDOMAIN", "HTTPS, 200"}
	oneZone   = finding{verdict.Degraded, "All instances sit in one zone", "1 zone", "2 or more"}
	throttled = finding{verdict.JudgeError, "The judge’s own AWS calls are throttled, nobody loses", "429", "an answer"}
	cephOK    = finding{verdict.OK, "The same 256 KiB were read from RADOS.", "", ""}
	apiOK     = finding{verdict.OK, "Every object reads back exactly as it was stored.", "", ""}
	tlsOK     = finding{verdict.OK, "Public root, every address serves it, 89 days left.", "", ""}
	ciOK      = finding{verdict.OK, "Jobs green, a nonce went live in 3 min 12 s.", "", ""}
	awsOK     = finding{verdict.OK, "Two zones, a policy that follows the load.", "", ""}
)

// morning plays ticks 1 to 72: from all red to some green.
func (d *demo) morning() {
	first, end := "first load", d.start.Add(4*time.Hour+30*time.Minute)
	d.add(journal.KindPhase, journal.Phase{Name: "build", Title: "Build", EndsAt: &end, Next: first})
	for range 72 {
		d.next()
		d.health(true, "")
		d.look("loutres", "ceph", pick(d.tick, noMonitor, 62, unseen, 66, short1MiB, 68, unseen))
		d.look("loutres", "api", pick(d.tick, refused, 62, short1MiB))
		d.look("loutres", "tls", pick(d.tick, refused, 58, unsigned, 70, tlsOK))
		d.look("loutres", "concourse", pick(d.tick, noCI, 30, ciOK, 54, finding{verdict.Degraded, "A build was slow", "140 s", "120 s"}, 55, ciOK))
		d.look("pandas", "ceph", noMonitor)
		d.look("pandas", "api", refused)
		d.look("pandas", "tls", pick(d.tick, refused, 56, unsigned))
		d.look("pandas", "concourse", noCI)
		d.look("pandas", "aws", pick(d.tick, refused, 50, oneZone, 60, refused, 62, oneZone, 69, throttled))
		for _, b := range []string{"ceph", "api", "tls"} {
			d.look("temoin", b, apiOK)
		}
		d.look("temoin", "aws", pick(d.tick, awsOK, 69, throttled))
	}
	d.pass(18 * time.Second)
	d.health(false, "AWS calls throttled")
}

func (d *demo) health(ok bool, text string) {
	if text == "" {
		text = "All is well"
	}
	d.add(journal.KindHealth, journal.Health{OK: ok, Text: text, Lag: 0.004, CPU: 0.31, Witness: "ok"})
}

// pick is the finding of a tick: the first until the first number, and so on.
func pick(tick int, first finding, rest ...any) finding {
	f := first
	for i := 0; i+1 < len(rest); i += 2 {
		if tick >= rest[i].(int) {
			f = rest[i+1].(finding)
		}
	}
	return f
}
