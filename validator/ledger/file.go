package ledger

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"os"
	"sync"
	"time"
)

// batchEvery is how long lines gather before they are synced together. Only
// acknowledgements wait for it, and after their latency was taken.
const batchEvery = 20 * time.Millisecond

var errClosed = errors.New("ledger: closed")

// file is an append-only file that one goroutine syncs in batches.
type file struct {
	f     *os.File
	every time.Duration // how long lines gather
	kick  chan struct{} // there is something to sync
	done  chan struct{} // the goroutine has ended
	close sync.Once

	mu     sync.Mutex
	moved  *sync.Cond // synced or err has changed
	buffer []byte
	batch  uint64 // what buffer belongs to, from 1
	synced uint64
	err    error // the first failure: nothing counts after it
	ended  bool
	sum    hash.Hash
}

func openFile(f *os.File, sum hash.Hash, every time.Duration) *file {
	w := &file{f: f, every: every, sum: sum, batch: 1, kick: make(chan struct{}, 1), done: make(chan struct{})}
	w.moved = sync.NewCond(&w.mu)
	go w.run()
	return w
}

// append adds a line and returns the batch to wait for.
func (w *file) append(r record) (batch uint64, err error) {
	line, err := json.Marshal(r)
	if err != nil {
		return 0, fmt.Errorf("ledger: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.err != nil:
		return 0, w.err
	case w.ended:
		return 0, errClosed
	}
	w.buffer = append(append(w.buffer, line...), '\n')
	w.wake()
	return w.batch, nil
}

func (w *file) wake() {
	select {
	case w.kick <- struct{}{}:
	default: // it is awake already and will see what was added
	}
}

// wait returns once the batch is on disk.
func (w *file) wait(batch uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.synced < batch && w.err == nil {
		w.moved.Wait()
	}
	return w.err
}

func (w *file) run() {
	defer close(w.done)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for range w.kick {
		pause.Reset(w.every)
		<-pause.C
		if !w.sync() {
			return
		}
	}
}

// sync writes what has gathered, and reports whether more may come.
func (w *file) sync() bool {
	w.mu.Lock()
	lines, batch, ended := w.buffer, w.batch, w.ended
	w.buffer = nil
	w.batch++
	w.mu.Unlock()

	_, err := w.f.Write(lines)
	if err == nil {
		err = w.f.Sync()
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.err = fmt.Errorf("ledger: %w", err)
	} else {
		w.sum.Write(lines)
		w.synced = batch
	}
	w.moved.Broadcast()
	return err == nil && !ended
}

// hash syncs what was appended and returns the hex SHA-256 of the file.
func (w *file) hash() (string, error) {
	w.mu.Lock()
	batch := w.batch
	if len(w.buffer) == 0 {
		batch-- // it may be on its way still
	}
	w.mu.Unlock()
	if err := w.wait(batch); err != nil {
		return "", err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return hex.EncodeToString(w.sum.Sum(nil)), nil
}

// shut syncs what was appended, ends the goroutine and closes the file.
func (w *file) shut() error {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.wake()
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.err
	w.close.Do(func() { err = errors.Join(w.err, w.f.Close()) })
	return err
}

// Sum syncs the ledger and returns the hex SHA-256 of its file.
func (l *Ledger) Sum() (string, error) { return l.file.hash() }

// Close syncs the ledger and closes its file. What is appended later fails.
func (l *Ledger) Close() error { return l.file.shut() }
