//go:build ceph

package proof

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"bogops/app/store/linear"
)

const (
	clients    = 16
	sharedKeys = 32 // that all clients write, beside those that are written once
	patience   = 20 * time.Second
)

// load is what clients do to a platform on keys of its own, and what they were
// told.
type load struct {
	platform *platform
	prefix   string
	seed     uint64
	began    time.Time // of the platform: the histories' moment zero

	mu      sync.Mutex
	ops     []linear.Op
	keys    map[string]bool
	wrong   error
	numbers int
	acked   int
	inMode  map[string]int
	unknown int
	refused int           // answered 503: nothing was done
	since   time.Duration // the last answer that promises something
	stall   time.Duration // the longest time without one
	slowest time.Duration // the longest wait of a request for any answer
}

func newLoad(f *platform, prefix string, seed uint64) *load {
	return &load{platform: f, prefix: prefix, seed: seed, began: f.began, keys: map[string]bool{}, inMode: map[string]int{}, since: time.Since(f.began)}
}

// run lets clients work until ctx ends, or the first answer that is wrong by
// itself. Each finishes what it has begun.
func (l *load) run(ctx context.Context) {
	var all sync.WaitGroup
	for id := range clients {
		all.Go(func() {
			draw, seen := rand.New(rand.NewPCG(l.seed, uint64(id))), map[string]string{}
			for n := 0; ctx.Err() == nil && l.failure() == nil; n++ {
				op := l.drawn(draw, seen, id, n)
				i := l.platform.instances[draw.IntN(len(l.platform.instances))]
				// Whoever asks a process that stands still waits with it: a few do.
				if i.address() == "" || i.isPaused() && draw.IntN(20) > 0 {
					i = l.platform.other(i)
				}
				if i.address() == "" || !l.do(i, op, seen) {
					time.Sleep(20 * time.Millisecond) // as clients do that were refused
				}
			}
		})
	}
	all.Wait()
}

// drawn is one random operation.
func (l *load) drawn(draw *rand.Rand, seen map[string]string, id, n int) linear.Op {
	op := linear.Op{Client: id, Kind: linear.Put, Key: fmt.Sprintf("%s/shared-%d", l.prefix, draw.IntN(sharedKeys))}
	d, c := draw.IntN(20), draw.IntN(8)
	switch {
	case d < 6:
		op.Kind = linear.Get
		return op
	case d < 9:
		op.Kind = linear.Delete
	case d < 14: // a key that is written once, and must be there ever after
		op.Key, op.IfAbsent = fmt.Sprintf("%s/once-%d-%d", l.prefix, id, n), c < 2
		op.Data = l.number()
		return op
	default:
		op.Data = l.number()
	}
	switch {
	case c == 0 && op.Kind == linear.Put:
		op.IfAbsent = true
	case c == 1:
		op.IfMatch = seen[op.Key]
	case c == 2:
		op.IfMatch = "*"
	}
	return op
}

func (l *load) number() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.numbers++
	return fmt.Sprint(l.numbers)
}

// bytesOf is the body of a put: it begins with its number, and no part or
// mixture of others can be mistaken for it. One in forty is longer than what
// Ceph keeps in a head, and one of these longer than a tail.
func bytesOf(number string) []byte {
	seed := sha256.Sum256([]byte(number))
	size := []int{0, 100, 1000, 4 << 10, 20_000}[seed[0]%5]
	if seed[1] < 6 {
		size = []int{1<<20 + 1, 1_500_000, 5 << 20}[seed[2]%3]
	}
	body := make([]byte, size)
	_, _ = rand.NewChaCha8(seed).Read(body) // never fails, by its documentation
	return append([]byte(number+"\n"), body...)
}

// do sends op, notes what it is told, and returns whether that was an answer.
func (l *load) do(i *instance, op linear.Op, seen map[string]string) bool {
	return l.doFrom(i, op, bytes.NewReader(bodyOf(op)), seen)
}

// bodyOf is what op sends.
func bodyOf(op linear.Op) []byte {
	if op.Kind != linear.Put {
		return nil
	}
	return bytesOf(op.Data)
}

// doFrom is do with a body that comes as it likes.
func (l *load) doFrom(i *instance, op linear.Op, body io.Reader, seen map[string]string) bool {
	r, err := request(op, i.address(), body)
	if err != nil {
		l.fail(err)
		return false
	}
	op.Call = time.Since(l.began)
	status, header, answer, err := send(l.platform.client, r)
	op.Return = time.Since(l.began)
	verdict, told := unsure, op
	if err == nil {
		told, verdict, err = judged(op, status, header, answer)
		if err != nil {
			l.fail(fmt.Errorf("%s answered %s of %s: %w", i.name, op.Kind, op.Key, err))
			return false
		}
	} else if noted := new(net.OpError); errors.As(err, &noted) && noted.Op == "dial" {
		return false // nothing was sent
	}
	told.Unknown = verdict == unsure
	l.note(i, told, verdict)
	if seen != nil && verdict == answered && told.ETag != "" {
		seen[op.Key] = told.ETag
	}
	return verdict == answered
}

func request(op linear.Op, address string, body io.Reader) (*http.Request, error) {
	r, err := http.NewRequest(map[linear.Kind]string{linear.Put: "PUT", linear.Get: "GET", linear.Delete: "DELETE"}[op.Kind], address+"/v1/objects/"+op.Key, nil)
	if err != nil {
		return nil, err
	}
	if op.Kind == linear.Put {
		r.Body, r.ContentLength = io.NopCloser(body), int64(len(bytesOf(op.Data)))
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if op.IfAbsent {
		r.Header.Set("If-None-Match", "*")
	}
	if op.IfMatch != "" {
		r.Header.Set("If-Match", op.IfMatch)
	}
	return r, nil
}

func send(client *http.Client, r *http.Request) (int, http.Header, []byte, error) {
	answer, err := client.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, body, err
}

// verdict is how much an answer promises.
type verdict int

const (
	answered verdict = iota // what it says has happened
	undone                  // nothing has happened, nor will
	unsure                  // who knows
)

// judged is op with what the answer says, or the error of an answer that no
// fault excuses. A 503 is taken at its word: where its problem is not that the
// outcome is unknown, nothing may ever be seen of the write.
func judged(op linear.Op, status int, header http.Header, body []byte) (linear.Op, verdict, error) {
	op.ETag = header.Get("ETag")
	switch {
	case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
		var problem struct{ Type string }
		if err := json.Unmarshal(body, &problem); err != nil {
			return op, unsure, fmt.Errorf("a problem that is none: %w", err)
		}
		op.ETag = ""
		if op.Kind != linear.Get && !slices.ContainsFunc([]string{"store-unavailable", "busy", "not-ready"}, func(slug string) bool {
			return bytes.HasSuffix([]byte(problem.Type), []byte(slug))
		}) {
			return op, unsure, nil
		}
		return op, undone, nil
	case op.Kind == linear.Put && status == http.StatusRequestTimeout: // a body that stood still with its server
		return op, undone, nil
	case op.Kind == linear.Get && status == http.StatusOK:
		number, _, _ := bytes.Cut(body, []byte("\n"))
		if op.Data = string(number); !bytes.Equal(body, bytesOf(op.Data)) {
			return op, unsure, fmt.Errorf("%d bytes that were never sent whole: torn", len(body))
		}
	case op.Kind == linear.Get && status == http.StatusNotFound:
		op.ETag = ""
	case op.Kind != linear.Get && status == http.StatusPreconditionFailed:
		op.ETag, op.Refused = "", true
	case op.Kind == linear.Put && (status == http.StatusCreated || status == http.StatusOK):
	case op.Kind == linear.Delete && status == http.StatusNoContent:
	default:
		return op, unsure, fmt.Errorf("status %d: %.300s", status, body)
	}
	return op, answered, nil
}

func (l *load) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wrong == nil {
		l.wrong = err
	}
}

func (l *load) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wrong
}

// note adds what was told to the history. A read without an answer tells
// nothing, and neither does a write that says that it was none: were it seen
// later, its data would belong to no write at all.
func (l *load) note(i *instance, op linear.Op, v verdict) {
	mode := ""
	if v == answered {
		mode = i.modeOf(op.Call, op.Return)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slowest = max(l.slowest, op.Return-op.Call)
	l.keys[op.Key] = true
	switch v {
	case answered:
		l.acked++
		l.inMode[mode]++
		l.stall = max(l.stall, op.Return-l.since)
		l.since = max(l.since, op.Return)
	case undone:
		l.refused++
		return
	case unsure:
		if op.Kind == linear.Get {
			return
		}
		l.unknown++
	}
	l.ops = append(l.ops, op)
}

// acknowledged is how many operations were answered, in all and in a mode.
func (l *load) acknowledged(mode string) (all, inMode int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acked, l.inMode[mode]
}
