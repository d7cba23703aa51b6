package load

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"

	"bogops/validator/load/content"
	"bogops/validator/oracle"
)

// The shares of the plan that no organiser sets.
const (
	overwrites = 0.25 // of PUTs
	absent     = 0.02 // of GETs
	newest     = 0.10 // of GETs
	zipf       = 1.1  // popularity of the r-th key is 1/r^1.1
	recent     = 32   // arrivals among which the newest keys are drawn
	walk       = 64   // arrivals looked at for one that makes a key
)

// purpose separates the draws of one number.
type purpose uint32

const (
	forOp purpose = iota
	forRest
	forLoaded
	forKey
	forLoadedKey
	forAbsentKey
	forStandIn
	forScramble
	forThinning
	forLane
	forAudit
)

// bits are 128 bits that the seed fixes for a purpose and a number: one block
// of AES, which is a pseudo-random permutation.
func (p *Plan) bits(of purpose, n int) (block [16]byte) {
	binary.BigEndian.PutUint32(block[:], uint32(of))
	binary.BigEndian.PutUint64(block[8:], uint64(n))
	p.draws.Encrypt(block[:], block[:])
	return block
}

func (p *Plan) source(of purpose, n int) *rand.Rand {
	b := p.bits(of, n)
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])))
}

// share is a number of [0, 1).
func (p *Plan) share(of purpose, n int) float64 {
	b := p.bits(of, n)
	return float64(binary.BigEndian.Uint64(b[:])>>11) / (1 << 53)
}

// origin is what first makes a key: the loaded set, or the PUT of arrival n.
type origin struct {
	loaded bool
	n      int
}

func (p *Plan) key(o origin) string {
	if o.loaded {
		return p.name(forLoadedKey, o.n)
	}
	return p.name(forKey, o.n)
}

// name makes a key that nobody can guess before it is put.
func (p *Plan) name(of purpose, n int) string {
	b := p.bits(of, n)
	return p.campaign.ID + "/" + hex.EncodeToString(b[:])
}

func (p *Plan) size(o origin) int64 {
	of := forRest
	if o.loaded {
		of = forLoaded
	}
	r := p.source(of, o.n)
	return p.sizes.draw(r.Float64(), r.Float64())
}

// op draws what arrival n does, and whether it makes a key.
func (p *Plan) op(n int) (op Op, makes bool) {
	b := p.bits(forOp, n)
	u := float64(binary.BigEndian.Uint64(b[:])>>11) / (1 << 53)
	v := float64(binary.BigEndian.Uint64(b[8:])>>11) / (1 << 53)
	switch {
	case u < p.ops[0]:
		return Put, v >= overwrites
	case u < p.ops[1]:
		return Get, false
	}
	return Process, false
}

// Arrival is arrival n, from 0 to Len-1, made from n alone.
func (p *Plan) Arrival(n int) Arrival {
	op, makes := p.op(n)
	a := Arrival{N: n, Due: p.Due(n), Op: op}
	r := p.source(forRest, n)
	size := p.sizes.draw(r.Float64(), r.Float64())
	switch {
	case makes:
		a.Key, a.Size = p.key(origin{n: n}), size
	case op == Put:
		from := p.popular(r, n)
		a.Key, a.Size = p.key(from), vary(r, p.size(from))
	case r.Float64() < absent:
		a.Key, a.Absent = p.name(forAbsentKey, n), true
	default:
		from := p.wanted(r, n)
		a.Key, a.Size = p.key(from), p.size(from)
	}
	if op == Put {
		a.Version = uint64(n) + 2 // 1 is the loaded set's
	}
	if op == Process {
		a.Chain = oracle.Draw(r, "bronze", a.Size)
	}
	return a
}

// vary gives an overwrite another size of the same class, so that an old end
// after a new beginning is seen.
func vary(r *rand.Rand, size int64) int64 {
	return max(1, int64(float64(size)*(0.75+r.Float64()/2)))
}

// wanted draws the key of a GET: one of the newest, or a popular one.
func (p *Plan) wanted(r *rand.Rand, n int) origin {
	if r.Float64() < newest {
		old := p.firstAt(p.Due(n) - p.settled)
		if from, ok := p.makerAt(old - 1 - r.IntN(recent)); ok {
			return from
		}
	}
	return p.popular(r, n)
}

// popular draws a rank by Zipf's law and takes the key that it stands for,
// among the loaded set and the keys that the plan puts long enough before n.
func (p *Plan) popular(r *rand.Rand, n int) origin {
	keys := p.loaded + p.firstAt(p.Due(n)-p.settled)
	rank := rand.NewZipf(r, zipf, 1, uint64(keys-1)).Uint64()
	b := p.bits(forScramble, int(rank))
	item := jump(binary.BigEndian.Uint64(b[:]), keys)
	if item >= p.loaded {
		if from, ok := p.makerAt(item - p.loaded); ok {
			return from
		}
		item = int(binary.BigEndian.Uint32(b[8:])) % p.loaded
	}
	return origin{loaded: true, n: item}
}

// makerAt is the last arrival up to n that makes a key, if one is near.
func (p *Plan) makerAt(n int) (origin, bool) {
	for i := n; i >= 0 && i > n-walk; i-- {
		if _, makes := p.op(i); makes {
			return origin{n: i}, true
		}
	}
	return origin{}, false
}

// jump maps key to one of n buckets so that a growing n moves only the share
// 1/n of the keys, each to a new bucket: what is popular changes no faster than
// the set of keys grows (Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash
// Algorithm", 2014).
func jump(key uint64, n int) int {
	bucket, next := int64(-1), int64(0)
	for next < int64(n) {
		bucket = next
		key = key*2862933555777941757 + 1
		next = int64(float64(bucket+1) * (math.Exp2(31) / float64(key>>33+1)))
	}
	return int(bucket)
}

// StandIn is try i of which loaded object arrival n asks for where the team
// never acknowledged the key that the plan drew.
func (p *Plan) StandIn(n, i int) content.Object {
	b := p.bits(forStandIn, n)
	first := int(binary.BigEndian.Uint32(b[:]))
	return p.LoadedObject((first + i) % p.loaded)
}

// Shuffle puts keys into an order that the seed draws.
func (p *Plan) Shuffle(keys []string) {
	p.source(forAudit, len(keys)).Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
}
