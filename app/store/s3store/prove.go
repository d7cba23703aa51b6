package s3store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// probes is where the server is put to the test. U+007F is in no key that
// a store takes, and fits into XML.
const probes = "\u007fbogops/"

// errLies says that a server does not keep its word on conditional writes.
var errLies = errors.New("the server does not keep its word on conditional writes")

// traits are what a server can do beyond the least.
type traits struct {
	deleteMatch   bool // DeleteObject with If-Match
	completeMatch bool // CompleteMultipartUpload with If-Match and If-None-Match
}

const racers = 8

// prove tries what the stores build on, on keys of its own, before anything
// else is written. It returns an error that wraps errLies where the server
// breaks a promise, and another one where it could not be tried.
func (b *bucket) prove(ctx context.Context) (traits, error) {
	p := prover{b: b, base: probes + randomName() + "/"}
	defer p.tidy(ctx)
	first, err := p.creates(ctx)
	if err != nil {
		return traits{}, err
	}
	if err := p.matches(ctx, first); err != nil {
		return traits{}, err
	}
	if err := p.race(ctx, "created", ""); err != nil {
		return traits{}, err
	}
	seed, err := p.write(ctx, "swapped", "0", condition{absent: true}, landed)
	if err != nil {
		return traits{}, err
	}
	if err := p.race(ctx, "swapped", seed); err != nil {
		return traits{}, err
	}
	var t traits
	if t.deleteMatch, err = p.deletes(ctx); err == nil {
		t.completeMatch, err = p.completes(ctx)
	}
	return t, err
}

type prover struct {
	b    *bucket
	base string
}

// write sends one write, and says what is wrong where its outcome is not want.
func (p *prover) write(ctx context.Context, name, data string, c condition, want outcome) (string, error) {
	etag, err := p.b.put(ctx, p.base+name, payload{data: bytes.NewReader([]byte(data)), size: int64(len(data))}, c)
	got := outcomeOf(err)
	switch {
	case got == want, got == clashed && want == moved:
		return etag, nil
	case got == landed:
		return "", fmt.Errorf("%w: it wrote %s", errLies, c)
	case got == moved || got == clashed:
		return "", fmt.Errorf("%w: it refused to write %s", errLies, c)
	}
	return "", failed(ctx, err)
}

func (c condition) String() string {
	if c.match != "" {
		return "with If-Match"
	}
	return "with If-None-Match: *"
}

// creates: the first creator is let in, the second is not.
func (p *prover) creates(ctx context.Context) (string, error) {
	etag, err := p.write(ctx, "once", "1", condition{absent: true}, landed)
	if err != nil {
		return "", err
	}
	if _, err := p.write(ctx, "once", "2", condition{absent: true}, moved); err != nil {
		return "", fmt.Errorf("%w over an object", err)
	}
	return etag, nil
}

// matches: the right tag is let in, a stale one and one of nothing are not.
func (p *prover) matches(ctx context.Context, first string) error {
	second, err := p.write(ctx, "once", "3", condition{match: first}, landed)
	if errors.Is(err, errLies) && !p.b.bare.Load() {
		p.b.bare.Store(true)
		second, err = p.write(ctx, "once", "3", condition{match: first}, landed)
	}
	if err != nil {
		return fmt.Errorf("%w of the object's tag", err)
	}
	if second == first || second == "" {
		return fmt.Errorf("%w: the tag %q stands for other bytes too", errLies, second)
	}
	if _, err := p.write(ctx, "once", "4", condition{match: first}, moved); err != nil {
		return fmt.Errorf("%w of a stale tag", err)
	}
	if _, err := p.write(ctx, "never", "5", condition{match: first}, moved); err != nil {
		return fmt.Errorf("%w where nothing is", err)
	}
	now, err := p.b.head(ctx, p.base+"once")
	if err == nil && now.info.ETag != second {
		err = fmt.Errorf("%w: after refused writes the tag is %s, not %s", errLies, now.info.ETag, second)
	}
	return err
}

// race lets some write one key at once, over the same tag. One must win.
func (p *prover) race(ctx context.Context, name, base string) error {
	errs, tags := make([]error, racers), make([]string, racers)
	gate := make(chan struct{})
	var all sync.WaitGroup
	for i := range racers {
		all.Go(func() {
			data := fmt.Sprint("racer ", i)
			<-gate
			tags[i], errs[i] = p.b.put(ctx, p.base+name, payload{data: bytes.NewReader([]byte(data)), size: int64(len(data))}, over(base))
		})
	}
	close(gate)
	all.Wait()
	won, winners := "", 0
	var broken error
	for i, err := range errs {
		switch outcomeOf(err) {
		case landed:
			won, winners = tags[i], winners+1
		case moved, clashed:
		default:
			if statusOf(err) == 0 {
				return failed(ctx, err)
			}
			broken = err // Ceph pacific answers 500 to those who lose
		}
	}
	if winners == 0 && broken != nil {
		return failed(ctx, broken)
	}
	if winners > 1 {
		return fmt.Errorf("%w: %d of %d writers at once were told that they had won", errLies, winners, racers)
	}
	now, err := p.b.head(ctx, p.base+name)
	if err == nil && winners == 1 && now.info.ETag != won {
		err = fmt.Errorf("%w: the object is %s, the write that won was %s", errLies, now.info.ETag, won)
	}
	return err
}

// deletes reports whether a delete of a stale tag is refused, and of the right
// one is not. A server without is no liar: the protocol has it since 2024.
func (p *prover) deletes(ctx context.Context) (bool, error) {
	etag, err := p.write(ctx, "deleted", "1", condition{absent: true}, landed)
	if err != nil {
		return false, err
	}
	stale := `"00000000000000000000000000000000"`
	if outcomeOf(p.b.remove(ctx, p.base+"deleted", stale)) != moved {
		return false, nil
	}
	now, err := p.b.head(ctx, p.base+"deleted")
	if err != nil || now.info.ETag != etag {
		return false, err
	}
	if p.b.remove(ctx, p.base+"deleted", etag) != nil {
		return false, nil
	}
	now, err = p.b.head(ctx, p.base+"deleted")
	return err == nil && !now.exists(), err
}

// completes reports whether an upload is completed under a condition only
// where it holds. Ceph pacific joins the parts without a look at it.
func (p *prover) completes(ctx context.Context) (bool, error) {
	etag, err := p.write(ctx, "completed", "1", condition{absent: true}, landed)
	if err != nil {
		return false, err
	}
	stale := condition{match: `"00000000000000000000000000000000"`}
	for _, c := range []condition{{absent: true}, stale} {
		if got, err := p.complete(ctx, c); got != moved {
			return false, err
		}
	}
	now, err := p.b.head(ctx, p.base+"completed")
	if err != nil || now.info.ETag != etag {
		return false, err
	}
	got, err := p.complete(ctx, condition{match: etag})
	return got == landed, err
}

// complete completes an upload of one small part, which the last may be.
func (p *prover) complete(ctx context.Context, c condition) (outcome, error) {
	key := p.base + "completed"
	upload, err := p.b.begin(ctx, key, "", nil)
	if err != nil {
		return lost, err
	}
	part, err := p.b.part(ctx, key, upload, 1, payload{data: bytes.NewReader([]byte("2")), size: 1})
	if err != nil {
		p.b.abort(ctx, key, upload)
		return lost, err
	}
	_, err = p.b.complete(ctx, key, upload, []types.CompletedPart{part}, c)
	got := outcomeOf(err)
	if got != landed {
		p.b.abort(ctx, key, upload)
	}
	if got == lost {
		return lost, failed(ctx, err)
	}
	return got, nil
}

// tidy removes what was tried; what it cannot reach is in nobody's way.
func (p *prover) tidy(ctx context.Context) {
	ctx, cancel := p.b.settling(ctx)
	defer cancel()
	for _, name := range []string{"once", "created", "swapped", "deleted", "completed"} {
		_ = p.b.remove(ctx, p.base+name, "")
	}
}

func randomName() string {
	var name [16]byte
	rand.Read(name[:]) // never fails: crypto/rand ends the program first
	return hex.EncodeToString(name[:])
}
