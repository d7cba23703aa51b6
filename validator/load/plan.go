package load

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"bogops/validator/contest"
	"bogops/validator/journal"
	"bogops/validator/load/content"
)

// Op is what a request does.
type Op string

// The operations of a campaign's mix.
const (
	Put     Op = "put"
	Get     Op = "get"
	Process Op = "get_process" // a GET whose answer nobody can know before
)

// Scored is the operation that an SLO and a histogram go by: put or get.
func (o Op) Scored() string {
	if o == Put {
		return "put"
	}
	return "get"
}

// Arrival is one request of a plan.
type Arrival struct {
	N       int
	Due     time.Duration // after T0
	Op      Op
	Key     string
	Absent  bool   // a key that nobody puts: 404 is right
	Version uint64 // what a PUT writes
	Size    int64  // bytes of what a PUT writes, or of the key's first version
	Chain   string // steps of a Process
}

// Plan is every request of a campaign, fixed before it begins and the same for
// every team: a pure function of the seed and the campaign. It is safe for
// concurrent use.
type Plan struct {
	campaign contest.Campaign
	ramp     ramp
	length   int
	loaded   int
	settled  time.Duration // a GET asks for keys that were due this long before
	draws    cipher.Block
	content  *content.Maker
	ops      [2]float64 // cumulated shares of PUT and GET
	sizes    sizes
}

// NewPlan checks the campaign and returns its plan. The error is one sentence.
func NewPlan(seed []byte, c contest.Campaign) (*Plan, error) {
	p, err := newPlan(seed, c)
	if err != nil {
		return nil, fmt.Errorf("campaign %s: %w", c.ID, err)
	}
	return p, nil
}

func newPlan(seed []byte, c contest.Campaign) (*Plan, error) {
	if len(seed) == 0 {
		return nil, errors.New("no seed was given, want at least one byte")
	}
	r, err := newRamp(c)
	if err != nil {
		return nil, err
	}
	ops, err := shares(c.Mix)
	if err != nil {
		return nil, err
	}
	classes, err := newSizes(c.Sizes)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, seed)
	mac.Write([]byte("plan\x00" + c.ID))
	draws, err := aes.NewCipher(mac.Sum(nil)[:16])
	if err != nil {
		return nil, err
	}
	return &Plan{
		campaign: c,
		ramp:     r,
		length:   int(math.Ceil(r.total - 1e-6)), // a total of 3.0000000001 is 3
		loaded:   int(max(64, min(2000, 2*r.peak()))),
		settled:  min(5*time.Second, time.Duration(r.length/100*float64(time.Second))),
		draws:    draws,
		content:  content.New(seed, c.ID),
		ops:      ops,
		sizes:    classes,
	}, nil
}

func shares(m contest.Mix) (cumulated [2]float64, err error) {
	sum := m.Put + m.Get + m.GetProcess
	if m.Put < 0 || m.Get < 0 || m.GetProcess < 0 || !(sum > 0) {
		return cumulated, fmt.Errorf("the mix is put %g, get %g, get_process %g, want shares of at least 0 and one over 0", m.Put, m.Get, m.GetProcess)
	}
	return [2]float64{m.Put / sum, (m.Put + m.Get) / sum}, nil
}

// Len is the number of arrivals.
func (p *Plan) Len() int { return p.length }

// Seconds is the number of seconds, the last perhaps not whole.
func (p *Plan) Seconds() int {
	whole := int(math.Ceil(p.ramp.length - 1e-6)) // 90.0000000001 s are 90
	return max(whole, int(p.Due(p.length-1)/time.Second)+1)
}

// Offered is the number of arrivals due in a second, from 0.
func (p *Plan) Offered(second int) int { return p.first(second+1) - p.first(second) }

// first is the first arrival due in a second or later.
func (p *Plan) first(second int) int { return p.firstAt(time.Duration(second) * time.Second) }

// Peak is the highest rate, in requests a second.
func (p *Plan) Peak() float64 { return p.ramp.peak() }

// Stages are the ramp as the journal tells it.
func (p *Plan) Stages() []journal.Stage { return p.ramp.journal() }

// Content makes the bytes of the plan's objects, and recognises them.
func (p *Plan) Content() *content.Maker { return p.content }

// Loaded is the number of objects that are stored before the ramp.
func (p *Plan) Loaded() int { return p.loaded }

// LoadedObject is object i of those stored before the ramp.
func (p *Plan) LoadedObject(i int) content.Object {
	o := origin{loaded: true, n: i}
	return content.Object{Key: p.key(o), Version: 1, Size: p.size(o)}
}

// Bytes is what the plan writes, its loaded set included, and reads, when
// nothing is overwritten before it is read. It walks the whole plan.
func (p *Plan) Bytes() (written, read int64) {
	for i := range p.loaded {
		written += p.LoadedObject(i).Size
	}
	for n := range p.length {
		a := p.Arrival(n)
		switch {
		case a.Op == Put:
			written += a.Size
		case !a.Absent && a.Op == Get:
			read += a.Size
		}
	}
	return written, read
}

// Hash is what injectors compare before they start, and what the journal pins:
// the campaign, and a sample of arrivals, so that two builds which would draw
// differently do not agree either. It gives nothing of the seed away.
func (p *Plan) Hash() string {
	sum := sha256.New()
	encoder := json.NewEncoder(sum)
	step := max(1, p.length/256)
	_ = encoder.Encode(p.campaign) // neither a hash nor these types fail
	for n := 0; n < p.length; n += step {
		_ = encoder.Encode(p.Arrival(n))
	}
	return hex.EncodeToString(sum.Sum(nil))
}
