package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"bogops/app/store/linear"
)

// load is what clients do to some instances of a platform at once, on few
// keys, and what they were told.
type load struct {
	client    *http.Client
	began     time.Time
	instances []atomic.Pointer[string] // the address of each; nil: none now
	epoch     atomic.Int64             // another one, other keys
	acks      chan struct{}            // one for each acknowledged write, while somebody takes them

	mu     sync.Mutex
	ops    []linear.Op
	wrong  error
	writes int
	gaveUp int // waited longer than patience
}

const (
	loadClients = 8
	loadKeys    = 5
	patience    = 6 * time.Second
)

func newLoad(instances int) *load {
	return &load{
		client:    &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: loadClients}},
		began:     time.Now(),
		instances: make([]atomic.Pointer[string], instances),
		acks:      make(chan struct{}, loadClients),
	}
}

// run lets clients work until ctx ends, or the first answer that is wrong by
// itself. Each finishes what it has begun.
func (l *load) run(ctx context.Context, seed uint64) {
	var all sync.WaitGroup
	for id := range loadClients {
		all.Go(func() {
			draw, seen := rand.New(rand.NewPCG(seed, uint64(id))), map[string]string{}
			for ctx.Err() == nil && l.failure() == nil {
				url := l.instances[draw.IntN(len(l.instances))].Load()
				if url == nil {
					time.Sleep(time.Millisecond) // until it is started again
					continue
				}
				op := l.drawn(draw, seen)
				op.Client = id
				l.do(*url, op, seen)
			}
		})
	}
	all.Wait()
	l.client.CloseIdleConnections()
}

func (l *load) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wrong
}

func (l *load) keyOf(epoch int64, number int) string {
	return fmt.Sprintf("epoch-%d/%d", epoch, number)
}

// drawn is one random operation; some writes are on the ETag that was seen last.
func (l *load) drawn(draw *rand.Rand, seen map[string]string) linear.Op {
	op := linear.Op{Kind: linear.Put, Key: l.keyOf(l.epoch.Load(), draw.IntN(loadKeys))}
	switch d := draw.IntN(10); {
	case d < 3:
		op.Kind = linear.Get
		return op
	case d < 5:
		op.Kind = linear.Delete
	default:
		l.mu.Lock()
		l.writes++
		op.Data = fmt.Sprint(l.writes)
		l.mu.Unlock()
	}
	switch d := draw.IntN(6); {
	case d == 0 && op.Kind == linear.Put:
		op.IfAbsent = true
	case d == 1:
		op.IfMatch = seen[op.Key]
	case d == 2:
		op.IfMatch = "*"
	}
	return op
}

// bytesOf is the body of a put: it begins with its number, and no part or
// mixture of others can be mistaken for it.
func bytesOf(number string) []byte {
	seed := sha256.Sum256([]byte(number))
	body := make([]byte, []int{0, 100, 5000, 64 << 10, 150_000}[seed[0]%5])
	_, _ = rand.NewChaCha8(seed).Read(body) // never fails, by its documentation
	return append([]byte(number+"\n"), body...)
}

// do sends op and notes what it is told.
func (l *load) do(url string, op linear.Op, seen map[string]string) {
	r, err := http.NewRequest(map[linear.Kind]string{linear.Put: "PUT", linear.Get: "GET", linear.Delete: "DELETE"}[op.Kind],
		url+"/v1/objects/"+op.Key, nil)
	if err != nil {
		l.fail(err)
		return
	}
	if op.Kind == linear.Put {
		body := bytesOf(op.Data)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	r.Header.Set("Authorization", "Bearer "+judge)
	if op.IfAbsent {
		r.Header.Set("If-None-Match", "*")
	}
	if op.IfMatch != "" {
		r.Header.Set("If-Match", op.IfMatch)
	}
	op.Call = time.Since(l.began)
	status, header, body, err := l.send(r)
	op.Return = time.Since(l.began)
	if err == nil {
		op, err = judged(op, status, header, body)
	} else if noted := new(net.OpError); errors.As(err, &noted) && noted.Op == "dial" {
		return // nothing was sent
	} else if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		l.mu.Lock()
		l.gaveUp++
		l.mu.Unlock()
		op.Unknown, err = true, nil
	} else {
		op.Unknown, err = true, nil
	}
	if err != nil {
		l.fail(fmt.Errorf("%s: %w", op.Key, err))
		return
	}
	l.note(op, seen)
}

func (l *load) send(r *http.Request) (int, http.Header, []byte, error) {
	answer, err := l.client.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, body, err
}

// judged is op with what the answer says, or the error of an answer that no
// kill excuses.
func judged(op linear.Op, status int, header http.Header, body []byte) (linear.Op, error) {
	op.ETag = header.Get("ETag")
	switch {
	case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
		op.ETag, op.Unknown = "", true
	case op.Kind == linear.Get && status == http.StatusOK:
		number, _, _ := bytes.Cut(body, []byte("\n"))
		if op.Data = string(number); !bytes.Equal(body, bytesOf(op.Data)) {
			return op, fmt.Errorf("%d bytes that were never sent whole: torn", len(body))
		}
	case op.Kind == linear.Get && status == http.StatusNotFound:
		op.ETag = ""
	case op.Kind != linear.Get && status == http.StatusPreconditionFailed:
		op.ETag, op.Refused = "", true
	case op.Kind == linear.Put && (status == http.StatusCreated || status == http.StatusOK):
		op.Tells, op.Created = true, status == http.StatusCreated
	case op.Kind == linear.Delete && status == http.StatusNoContent:
	default:
		return op, fmt.Errorf("%s: status %d: %s", op.Kind, status, body)
	}
	return op, nil
}

func (l *load) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wrong == nil {
		l.wrong = err
	}
}

func (l *load) note(op linear.Op, seen map[string]string) {
	if op.Kind == linear.Get && op.Unknown {
		return // it says nothing
	}
	if op.ETag != "" {
		seen[op.Key] = op.ETag
	}
	l.mu.Lock()
	l.ops = append(l.ops, op)
	l.mu.Unlock()
	if op.Kind != linear.Get && !op.Unknown && !op.Refused {
		select {
		case l.acks <- struct{}{}:
		default:
		}
	}
}

// audit reads every key through every instance, and then asks whether all that
// was told can have happened.
func (l *load) audit() error {
	seen := map[string]string{}
	for epoch := range l.epoch.Load() + 1 {
		for number := range loadKeys {
			for i := range l.instances {
				before := len(l.ops)
				l.do(*l.instances[i].Load(), linear.Op{Kind: linear.Get, Key: l.keyOf(epoch, number), Client: loadClients}, seen)
				if l.wrong == nil && len(l.ops) == before {
					return fmt.Errorf("%s: no answer, and nobody was killed", l.keyOf(epoch, number))
				}
			}
		}
	}
	if l.wrong != nil {
		return l.wrong
	}
	return linear.Check(l.ops, time.Minute)
}

func (l *load) counted(is func(linear.Op) bool) int {
	n := 0
	for _, op := range l.ops {
		if is(op) {
			n++
		}
	}
	return n
}

func acknowledged(op linear.Op) bool  { return op.Kind != linear.Get && !op.Refused && !op.Unknown }
func unknownWrites(op linear.Op) bool { return op.Unknown }

func (l *load) counts() string {
	return fmt.Sprintf("%d operations: %d writes acknowledged, %d unknown, %d refused, %d reads; %d waited longer than %s", len(l.ops),
		l.counted(acknowledged), l.counted(unknownWrites), l.counted(func(op linear.Op) bool { return op.Refused }),
		l.counted(func(op linear.Op) bool { return op.Kind == linear.Get }), l.gaveUp, patience)
}
