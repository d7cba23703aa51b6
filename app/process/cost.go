package process

import "math"

// weight is what a step costs: CPU nanoseconds for its beginning and for each
// byte that it reads.
type weight struct{ fixed, perByte float64 }

// stretchRound is what one iteration of stretch costs, in CPU nanoseconds.
const stretchRound = 160

// What thumbnail costs, in CPU nanoseconds: for each pixel of the picture,
// which it decodes and adds up, and for each of the answer, which it packs. A
// palette takes the 60; a photograph takes 20, and 16 bits a colour 100.
const (
	thumbnailPixel = 60
	answerPixel    = 220
)

// Cost returns how many CPU nanoseconds the chain takes, about, when its input
// is size bytes, so that a server can weigh a request before it begins. It
// never falls when size or the arguments of a step grow. It is an estimate of
// the work and not of the time: it does not know the load of the machine, nor
// what reading the input costs.
//
// BenchmarkCost prints what it measures beside what is declared here; the
// weights in the table of steps are its figures on one core of an AMD EPYC
// with SHA instructions, rounded up, for bytes that compress by half. A core
// without those instructions is several times slower at sha256, hmac and
// stretch, and admission need not know: it compares requests with each other.
func (c Chain) Cost(size int64) int64 {
	var ns float64
	for _, s := range c.steps {
		in := size
		if s.reads != nil {
			in = s.reads(in)
		}
		ns += s.weight.fixed + s.weight.perByte*float64(in) + s.extra
		size = s.size(size)
	}
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(ns)
}
