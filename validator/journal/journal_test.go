package journal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
)

var nine = time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)

// ticking returns a clock that moves by a bit more than a second a reading.
func ticking() func() time.Time {
	var mu sync.Mutex
	at := nine
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Second + 120*time.Millisecond)
		return at
	}
}

func note(i int) journal.Note { return journal.Note{Icon: "flag", Text: fmt.Sprintf("note %d", i)} }

// written makes a journal file of an Opened and count notes.
func written(t *testing.T, count int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "day.jsonl")
	j, err := journal.Create(path, journal.Opened{Format: 1, Contest: "c"}, ticking())
	require.NoError(t, err)
	for i := range count {
		_, err := j.Append(journal.KindNote, note(i))
		require.NoError(t, err)
	}
	require.NoError(t, j.Close())
	return path
}

func TestWhatIsAppendedIsReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "day.jsonl")
	j, err := journal.Create(path, journal.Opened{Format: 1, Title: "Défi <des> & \"autres\""}, ticking())
	require.NoError(t, err)
	wrote, err := j.Append(journal.KindNote, journal.Note{Text: "l'été\u2028 <&>\n"})
	require.NoError(t, err)
	require.Equal(t, j.Entries()[1], wrote)
	require.NoError(t, j.Close())

	entries, err := journal.Read(path)
	require.NoError(t, err)
	require.Equal(t, j.Entries(), entries)
	require.Equal(t, entries[1].Hash, j.Head())
	opened, err := journal.Decode[journal.Opened](entries[0])
	require.NoError(t, err)
	require.Equal(t, "Défi <des> & \"autres\"", opened.Title)
	text, err := journal.Decode[journal.Note](entries[1])
	require.NoError(t, err)
	require.Equal(t, "l'été\u2028 <&>\n", text.Text)
}

func TestAPayloadUnderTheWrongKindIsRefused(t *testing.T) {
	j := journal.Memory(journal.Opened{})
	_, err := j.Append(journal.KindVerdict, journal.Note{})
	require.EqualError(t, err, `journal: payload of kind "verdict" is journal.Note, want the struct of that name`)
	_, err = j.Append(journal.KindNote, nil)
	require.Error(t, err)
	_, err = journal.Decode[journal.Verdict](j.Entries()[0])
	require.Error(t, err)
	require.Len(t, j.Entries(), 1)
}

func TestAppendersAtTheSameTimeGetOneChain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "day.jsonl")
	j, err := journal.Create(path, journal.Opened{}, ticking())
	require.NoError(t, err)
	const writers, each = 16, 20
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				e, err := j.Append(journal.KindNote, note(w*each+i))
				if err != nil || j.Entries()[e.Seq-1].Hash != e.Hash {
					t.Errorf("append returned before its entry was visible: %v", err)
				}
			}
		})
	}
	all.Wait()
	require.NoError(t, j.Close())
	entries, err := journal.Read(path)
	require.NoError(t, err)
	require.Len(t, entries, 1+writers*each)
	require.NoError(t, journal.Verify(entries, j.Head()))
}

func TestASecondJudgeCannotWriteTheSameJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "day.jsonl")
	j, err := journal.Create(path, journal.Opened{}, ticking())
	require.NoError(t, err)
	_, err = journal.Create(path, journal.Opened{}, ticking())
	require.ErrorIs(t, err, fs.ErrExist, "whoever asks may resume it")
	require.EqualError(t, err, "journal "+path+": file already exists: resume it, or give a file that does not exist")
	_, err = journal.Resume(path, ticking())
	require.EqualError(t, err, "journal "+path+" is being written by another judge: stop that one first")
	require.NoError(t, j.Close())
	j, err = journal.Resume(path, ticking())
	require.NoError(t, err)
	require.NoError(t, j.Close())
}

func TestResumeDropsAndNotesAnUnfinishedLastLine(t *testing.T) {
	path := written(t, 3)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, torn := range []string{"", `{"seq":5,"at":"2026`, strings.TrimSuffix(strings.SplitAfter(string(whole), "\n")[3], "\n")} {
		require.NoError(t, os.WriteFile(path, append(whole[:len(whole):len(whole)], torn...), 0o644))
		entries, err := journal.Read(path)
		require.NoError(t, err, "a reader leaves the unfinished line out")
		require.Len(t, entries, 4)

		j, err := journal.Resume(path, ticking())
		require.NoError(t, err)
		require.NoError(t, j.Close())
		entries, err = journal.Read(path)
		require.NoError(t, err)
		require.Len(t, entries, 5)
		resumed, err := journal.Decode[journal.Resumed](entries[4])
		require.NoError(t, err)
		require.Equal(t, len(torn), resumed.Dropped)
	}
}

func TestNothingFollowsTheEndOfAContest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "day.jsonl")
	j, err := journal.Create(path, journal.Opened{}, ticking())
	require.NoError(t, err)
	_, err = j.Append(journal.KindClosed, journal.Closed{Seed: "s"})
	require.NoError(t, err)
	_, err = j.Append(journal.KindNote, note(1))
	require.ErrorIs(t, err, journal.ErrClosed)
	require.NoError(t, j.Close())
	require.NoError(t, j.Close())
	_, err = journal.Resume(path, ticking())
	require.ErrorIs(t, err, journal.ErrClosed)
}

func TestABadPathIsOneSentenceAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	_, err := journal.Create(filepath.Join(dir, "no", "day.jsonl"), journal.Opened{}, ticking())
	require.EqualError(t, err, "journal "+dir+"/no/day.jsonl cannot be created (no such file or directory): make its directory first")
	_, err = journal.Resume(filepath.Join(dir, "day.jsonl"), ticking())
	require.EqualError(t, err, "journal "+dir+"/day.jsonl does not exist: give the file that the judge wrote")
	_, err = journal.Read(filepath.Join(dir, "day.jsonl"))
	require.EqualError(t, err, "journal "+dir+"/day.jsonl does not exist: give the file that the judge wrote")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "empty"), []byte(`{"seq":1`), 0o644))
	_, err = journal.Resume(filepath.Join(dir, "empty"), ticking())
	require.EqualError(t, err, "journal "+dir+"/empty holds no whole line: remove it and begin again")
}

func TestSubscribersSeeEveryEntryOnceAndDelayNobody(t *testing.T) {
	j := journal.MemoryAt(journal.Opened{}, ticking())
	ctx, cancel := context.WithCancel(t.Context())
	asleep := j.Subscribe(ctx, 0) // never read until the end
	late := make(chan []uint64)
	go func() {
		var seen []uint64
		for e := range j.Subscribe(ctx, 2) {
			seen = append(seen, e.Seq)
		}
		late <- seen
	}()
	for i := range 50 {
		_, err := j.Append(journal.KindNote, note(i))
		require.NoError(t, err)
	}
	require.NoError(t, j.Close())
	seen := <-late
	require.Len(t, seen, 49)
	for i, seq := range seen {
		require.EqualValues(t, i+3, seq)
	}
	require.EqualValues(t, 1, (<-asleep).Seq)
	cancel()
	for range asleep { //nolint:revive // it ends because ctx did
	}
}

// The chain is meant to be recomputed by anybody: here by a few lines of
// Python that know nothing but the package's comment.
func TestThePublishedDefinitionIsEnoughToRecomputeTheChain(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not on this machine")
	}
	path := written(t, 5)
	script := `
import hashlib, json, sys
prev = "0" * 64
for n, line in enumerate(open(sys.argv[1], "rb"), 1):
    body, _ = line.rsplit(b',"hash":', 1)
    e = json.loads(line)
    assert e["seq"] == n and e["prev"] == prev, n
    assert e["hash"] == hashlib.sha256(body).hexdigest(), n
    prev = e["hash"]
print(prev)
`
	out, err := exec.Command(python, "-c", script, path).CombinedOutput()
	require.NoError(t, err, string(out))
	entries, err := journal.Read(path)
	require.NoError(t, err)
	require.Equal(t, entries[len(entries)-1].Hash, strings.TrimSpace(string(out)))
}

func TestALineIsOneObjectWithSixFieldsInOrder(t *testing.T) {
	text, err := os.ReadFile(written(t, 1))
	require.NoError(t, err)
	line := strings.SplitAfter(string(text), "\n")[1]
	require.Regexp(t, `^\{"seq":2,"at":"2026-12-04T09:00:02.24Z","kind":"note","data":\{"icon":"flag","text":"note 0"\},"prev":"[0-9a-f]{64}","hash":"[0-9a-f]{64}"\}\n$`, line)
	require.True(t, json.Valid([]byte(line)))
}
