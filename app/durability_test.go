package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// book is what one client knows of its own keys, which nobody else writes.
type book struct {
	acked map[string][]byte   // key → bytes that a 2xx promised
	maybe map[string][][]byte // key → bytes sent since and never answered 2xx
}

func newBook() *book { return &book{map[string][]byte{}, map[string][][]byte{}} }

// content is different for each key and version and cannot be mistaken for a
// part or a mixture of others.
func content(key string, version, size int) []byte {
	seed := sha256.Sum256(fmt.Appendf(nil, "%s/%d", key, version))
	bytes := make([]byte, size)
	_, _ = rand.NewChaCha8(seed).Read(bytes) // never fails, by its documentation
	return bytes
}

// write puts objects one after another, old keys and new ones, until the
// server is gone, and reports each acknowledgement. It returns whether a PUT
// was left without an answer.
func (b *book) write(client *http.Client, url, name string, random *rand.Rand, acks chan<- struct{}) (cut bool, err error) {
	for version := 0; ; version++ {
		key := fmt.Sprintf("%s/%d", name, random.IntN(40))
		body := content(key, version+random.IntN(1<<30), []int{0, 1, 4096, 100_000, 1 << 20}[random.IntN(5)])
		b.maybe[key] = append(b.maybe[key], body)
		status, text, err := call(client, "PUT", url+"/v1/objects/"+key, bytes.NewReader(body))
		switch {
		case err != nil:
			return true, nil
		case status != 200 && status != 201:
			return false, fmt.Errorf("PUT %s: status %d, want 200 or 201: %s", key, status, text)
		}
		b.acked[key], b.maybe[key] = body, nil
		acks <- struct{}{}
	}
}

// audit reads every key and names each one that is neither what was last
// acknowledged nor what was sent since. What it finds becomes what is known.
func (b *book) audit(client *http.Client, url string) error {
	var wrong []error
	keys := map[string]bool{}
	for key := range b.acked {
		keys[key] = true
	}
	for key := range b.maybe {
		keys[key] = true
	}
	for key := range keys {
		status, text, err := call(client, "GET", url+"/v1/objects/"+key, nil)
		got := []byte(text)
		promised, has := b.acked[key]
		switch {
		case err != nil:
			wrong = append(wrong, err)
		case status == 404 && !has:
			// Never acknowledged: never having happened is right.
		case status != 200:
			wrong = append(wrong, fmt.Errorf("GET %s: status %d: an acknowledged object is lost", key, status))
		case has && bytes.Equal(got, promised):
		case containsBytes(b.maybe[key], got):
			b.acked[key] = got // seen once, it has to stay
		default:
			wrong = append(wrong, fmt.Errorf("GET %s: %d bytes that were never sent whole: torn", key, len(got)))
		}
		if err == nil {
			delete(b.maybe, key)
		}
	}
	return errors.Join(wrong...)
}

func containsBytes(all [][]byte, one []byte) bool {
	for _, b := range all {
		if bytes.Equal(b, one) {
			return true
		}
	}
	return false
}

func TestKillingTheServerInMidPutLosesAndTearsNothing(t *testing.T) {
	const writers = 4
	kills := 15
	if testing.Short() {
		kills = 3
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dir := t.TempDir()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: writers}}
	var books []*book
	for range writers {
		books = append(books, newBook())
	}
	inFlight, acknowledged := 0, 0
	for round := range kills {
		app := start(t, nil, "--store", "file:"+dir)
		require.NotEmpty(t, app.url, app.out.String())
		for _, b := range books {
			require.NoError(t, b.audit(client, app.url), "after kill %d", round)
		}
		var group sync.WaitGroup
		cut, failed := make([]bool, writers), make([]error, writers)
		acks := make(chan struct{})
		for w, b := range books {
			random := rand.New(rand.NewPCG(seed, uint64(round*writers+w)))
			group.Go(func() { cut[w], failed[w] = b.write(client, app.url, fmt.Sprint("client-", w), random, acks) })
		}
		go func() {
			group.Wait()
			close(acks)
		}()
		// Killed after so many acknowledgements: the other writers are then in
		// the middle of theirs.
		left := 10 + rand.New(rand.NewPCG(seed, uint64(round))).IntN(20)
		for range acks {
			acknowledged++
			if left--; left == 0 {
				app.kill()
			}
		}
		require.NoError(t, errors.Join(failed...))
		for _, c := range cut {
			if c {
				inFlight++
			}
		}
	}
	require.GreaterOrEqual(t, inFlight, kills, "the kills hit no PUT in flight: the test proves nothing")
	app := start(t, nil, "--store", "file:"+dir)
	objects := 0
	for _, b := range books {
		require.NoError(t, b.audit(client, app.url))
		objects += len(b.acked)
	}
	t.Logf("%d kills, %d PUTs in flight, %d acknowledged, %d objects whole", kills, inFlight, acknowledged, objects)
}

// The audit above is tried on a server whose objects are changed behind it.
func TestTheAuditNamesALostATornAndAStaleObject(t *testing.T) {
	app, _ := startHere(t, "--store", "mem:")
	put := func(key string, body []byte) {
		_, _, err := call(http.DefaultClient, "PUT", app.url+"/v1/objects/"+key, bytes.NewReader(body))
		require.NoError(t, err)
	}
	audit := func(damage func(b *book)) error {
		b := newBook()
		for _, key := range []string{"a", "b", "c"} {
			b.acked[key] = content(key, 2, 1000)
			put(key, b.acked[key])
		}
		damage(b)
		return b.audit(http.DefaultClient, app.url)
	}
	require.NoError(t, audit(func(*book) {}))
	lost := func(*book) { _, _, _ = call(http.DefaultClient, "DELETE", app.url+"/v1/objects/b", nil) }
	require.EqualError(t, audit(lost), "GET b: status 404: an acknowledged object is lost")
	short := func(b *book) { put("b", b.acked["b"][:999]) }
	require.EqualError(t, audit(short), "GET b: 999 bytes that were never sent whole: torn")
	stale := func(*book) { put("b", content("b", 1, 1000)) }
	require.EqualError(t, audit(stale), "GET b: 1000 bytes that were never sent whole: torn")
	mixed := func(b *book) {
		b.maybe["b"] = [][]byte{content("b", 3, 1000)}
		put("b", append(bytes.Clone(b.acked["b"][:500]), b.maybe["b"][0][500:]...))
	}
	require.EqualError(t, audit(mixed), "GET b: 1000 bytes that were never sent whole: torn")
	landed := func(b *book) {
		b.maybe["b"] = [][]byte{content("b", 3, 1000)}
		put("b", b.maybe["b"][0])
	}
	require.NoError(t, audit(landed), "a write without an answer may land")
}
