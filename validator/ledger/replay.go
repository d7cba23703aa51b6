package ledger

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"time"
)

// format is the version of the file: one JSON object a line, only ever added.
const format = 1

// record is one line. The first says the format. Begin numbers the lines after
// it, and a line that ends a write names the one that began it.
type record struct {
	Format  int     `json:"format,omitempty"`
	Begin   uint64  `json:"b,omitempty"`
	Key     string  `json:"k,omitempty"`
	Version uint64  `json:"v,omitempty"`
	Size    int64   `json:"s,omitempty"`
	End     uint64  `json:"e,omitempty"`
	Outcome Outcome `json:"o,omitempty"`
	Resumed bool    `json:"resumed,omitempty"`
}

// Open opens the ledger at path, or begins it. One that was left by a crash is
// taken up: a last line without its end is dropped, what was pending ends as
// maybe, and from then on a version that this run made but the ledger does not
// know is held lawful, since its line may be what the crash lost.
func Open(path string) (*Ledger, error) { return open(path, batchEvery) }

func open(path string, every time.Duration) (*Ledger, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	l := empty()
	sum := sha256.New()
	length, err := l.replay(f, sum)
	if err == nil {
		err = errors.Join(f.Truncate(length), seek(f, length))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ledger: %s: %w", path, err), f.Close())
	}
	l.file = openFile(f, sum, every)
	if err := l.start(length == 0); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func seek(f *os.File, offset int64) error {
	_, err := f.Seek(offset, io.SeekStart)
	return err
}

// start writes the first line of a new file, or the one that takes up an old.
func (l *Ledger) start(fresh bool) error {
	first := record{Format: format}
	if !fresh {
		first = record{Resumed: true}
		l.giveUp()
	}
	batch, err := l.file.append(first)
	if err != nil {
		return err
	}
	return l.file.wait(batch)
}

// giveUp ends every pending write as maybe: its client is gone.
func (l *Ledger) giveUp() {
	l.resumed = true
	l.clock++
	for id := range l.pending {
		l.end(id, Maybe)
	}
}

// replay applies every whole line, adds it to sum, and returns their length.
func (l *Ledger) replay(r io.Reader, sum hash.Hash) (length int64, err error) {
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		switch {
		case errors.Is(err, io.EOF):
			return length, nil
		case err != nil:
			return 0, err
		}
		length += int64(len(line))
		sum.Write(line)
		if err := l.replayLine(n, line); err != nil {
			return 0, fmt.Errorf("line %d: %w", n, err)
		}
	}
}

func (l *Ledger) replayLine(n int, line []byte) error {
	var r record
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return fmt.Errorf("it is no line of a ledger: %w", err)
	}
	if (n == 1) != (r.Format != 0) || r.Format > format {
		return fmt.Errorf("format %d, want %d in the first line only", r.Format, format)
	}
	return l.apply(r)
}

func (l *Ledger) apply(r record) error {
	key, pending := l.pending[WriteID(r.End)]
	switch {
	case r.Format != 0:
	case r.Resumed:
		l.giveUp()
	case r.Begin != 0:
		if r.Begin != l.clock+1 {
			return fmt.Errorf("it begins write %d, want %d", r.Begin, l.clock+1)
		}
		l.begin(r)
	case !pending:
		return fmt.Errorf("it ends write %d, which is not pending", r.End)
	default:
		l.clock++
		l.end(WriteID(r.End), r.Outcome)
		if r.Outcome == Acknowledged {
			l.acknowledge(key, r.End)
		}
	}
	return nil
}
