package s3store

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
	infra "bogops/infra/s3"
)

// lossyRules are what holds of an area when answers get lost.
func lossyRules() map[string]func(*testing.T, *Away, *wire) {
	return map[string]func(*testing.T, *Away, *wire){
		"a commit whose answer is lost finds its own version": findsItself,
		"a commit that leaves no trace is unknown":            leavesNoTrace,
		"a commit that was replaced unseen is unknown":        replacedUnseen,
		"a commit that can no more land has moved":            cannotLand,
		"a ghost never lands over a later write":              ghostsLoseToWrites,
		"a ghost of a create never lands over a tombstone":    ghostsLoseToTombstones,
		"a body is kept while its commit is unknown":          unknownBodiesAreKept,
		"a removal whose answer is lost looks again":          removalsLookAgain,
		"a record whose answer is lost finds its own value":   recordsFindThemselves,
		"a ghost record never lands over a later value":       ghostRecordsLose,
	}
}

func TestAnAreaSettlesWhatGetsLostOnMoto(t *testing.T) { settlesWhatGetsLost(t, infra.StartMoto(t)) }

func TestAnAreaSettlesWhatGetsLostOnRadosgw(t *testing.T) { settlesWhatGetsLost(t, gateway(t)) }

func settlesWhatGetsLost(t *testing.T, server infra.Server) {
	for what, rule := range lossyRules() {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			lossy, w := lossyWire(t, server, as)
			rule(t, openAway(t, lossy), w)
		})
	}
}

func findsItself(t *testing.T, a *Away, w *wire) {
	p := a.Area(1)
	var base versioned.Head
	for _, what := range []fate{answerLost, conflict, refusedOnTheWay} {
		for _, size := range []int{5, maxInline + 1} {
			d, err := p.Stage(t.Context(), "k", bytes.NewReader(bytesOf(size)), store.PutOptions{Size: -1})
			require.NoError(t, err)
			w.once(http.MethodPut, what)
			head, err := d.Commit(t.Context(), base, versioned.Head{Version: version(1, base.Version.Generation+1)})
			require.NoError(t, err)
			d.Discard()
			now, err := p.Head(t.Context(), "k")
			require.NoError(t, err)
			require.Equal(t, head, now)
			require.Len(t, opened(t, p, "k", store.Whole), size)
			base = now
		}
		w.once(http.MethodPut, what)
		head, err := p.Bury(t.Context(), "k", base, versioned.Head{Version: version(1, base.Version.Generation+1)})
		require.NoError(t, err)
		base = head
	}
}

func leavesNoTrace(t *testing.T, a *Away, w *wire) {
	p := a.Area(1)
	base := kept(t, p, "k", []byte("old"), versioned.Head{})
	for _, over := range []versioned.Head{base, {}} {
		key := map[bool]string{true: "k", false: "new"}[over.Exists()]
		w.once(http.MethodPut, requestLost)
		_, err := p.Bury(t.Context(), key, over, versioned.Head{Version: version(1, 2)})
		require.ErrorIs(t, err, store.ErrUnknown)
		now, err := p.Head(t.Context(), key)
		require.NoError(t, err)
		require.Equal(t, over, now)
	}
}

// replacedUnseen: the commit lands, another one follows, and only then the
// answer is found to be lost. No look can tell that it has landed.
func replacedUnseen(t *testing.T, a *Away, w *wire) {
	p := a.Area(1)
	base := kept(t, p, "k", []byte("old"), versioned.Head{})
	w.then(http.MethodPut, answerLost, func() {
		now, err := p.Head(t.Context(), "k")
		require.NoError(t, err)
		kept(t, p, "k", []byte("later"), now)
	})
	_, err := keep(t, p, "k", []byte("lost"), base)
	require.ErrorIs(t, err, store.ErrUnknown)
	require.Equal(t, "later", string(opened(t, p, "k", store.Whole)))
}

// cannotLand: the request gets lost, and another one takes the very place it
// asked for. That place never comes back.
func cannotLand(t *testing.T, a *Away, w *wire) {
	p := a.Area(1)
	base := kept(t, p, "k", []byte("old"), versioned.Head{})
	w.then(http.MethodPut, requestLost, func() { kept(t, p, "k", []byte("other"), base) })
	_, err := keep(t, p, "k", []byte("lost"), base)
	require.ErrorIs(t, err, versioned.ErrMoved)

	w.then(http.MethodPut, requestLost, func() { kept(t, p, "new", []byte("other"), versioned.Head{}) })
	_, err = keep(t, p, "new", []byte("lost"), versioned.Head{})
	require.ErrorIs(t, err, store.ErrUnknown, "nothing may come back, and with it the ghost")
}

func ghostsLoseToWrites(t *testing.T, a *Away, w *wire) {
	p := a.Area(1)
	for _, what := range []fate{heldBack, silence} {
		base := kept(t, p, "k", []byte("old"), head(t, p, "k"))
		w.once(http.MethodPut, what)
		_, err := keep(t, p, "k", []byte("ghost"), base)
		require.ErrorIs(t, err, store.ErrUnknown)
		later := kept(t, p, "k", []byte("acknowledged"), base)
		w.release()
		require.Equal(t, later, head(t, p, "k"))
		require.Equal(t, "acknowledged", string(opened(t, p, "k", store.Whole)))

		// With nothing later it lands, as its writer was told.
		w.once(http.MethodPut, what)
		_, err = keep(t, p, "k", []byte("ghost"), later)
		require.ErrorIs(t, err, store.ErrUnknown)
		w.release()
		require.Equal(t, "ghost", string(opened(t, p, "k", store.Whole)))
	}
}

func ghostsLoseToTombstones(t *testing.T, a *Away, w *wire) {
	p := a.Area(1)
	w.once(http.MethodPut, heldBack)
	_, err := keep(t, p, "k", []byte("ghost"), versioned.Head{})
	require.ErrorIs(t, err, store.ErrUnknown)
	buried, err := p.Bury(t.Context(), "k", versioned.Head{}, versioned.Head{Version: version(1, 1)})
	require.NoError(t, err)
	w.release()
	require.Equal(t, buried, head(t, p, "k"))
}

func unknownBodiesAreKept(t *testing.T, a *Away, w *wire) {
	p, data := a.Area(1), bytesOf(maxInline+1)
	d, err := p.Stage(t.Context(), "k", bytes.NewReader(data), store.PutOptions{Size: -1})
	require.NoError(t, err)
	w.once(http.MethodPut, heldBack)
	_, err = d.Commit(t.Context(), versioned.Head{}, versioned.Head{Version: version(1, 1)})
	require.ErrorIs(t, err, store.ErrUnknown)
	d.Discard()
	w.release()
	require.Equal(t, data, opened(t, p, "k", store.Whole))
}

func removalsLookAgain(t *testing.T, a *Away, w *wire) {
	p := a.Area(1)
	base := kept(t, p, "k", []byte("x"), versioned.Head{})
	w.once(http.MethodDelete, requestLost)
	require.ErrorIs(t, p.Remove(t.Context(), "k", base), store.ErrUnknown)
	require.Equal(t, base, head(t, p, "k"))
	w.once(http.MethodDelete, answerLost)
	require.NoError(t, p.Remove(t.Context(), "k", base))
	require.Zero(t, head(t, p, "k"))
}

func recordsFindThemselves(t *testing.T, a *Away, w *wire) {
	tag := ""
	for i, what := range []fate{answerLost, conflict, refusedOnTheWay} {
		w.once(http.MethodPut, what)
		now, err := a.Write(t.Context(), "control", []byte{byte(i)}, tag)
		require.NoError(t, err)
		_, tag, err = a.Read(t.Context(), "control")
		require.NoError(t, err)
		require.Equal(t, tag, now)
	}
	w.once(http.MethodPut, requestLost)
	_, err := a.Write(t.Context(), "control", []byte("lost"), tag)
	require.ErrorIs(t, err, store.ErrUnknown)
	w.once(http.MethodDelete, answerLost)
	require.NoError(t, a.Remove(t.Context(), "control"))
}

func ghostRecordsLose(t *testing.T, a *Away, w *wire) {
	tag, err := a.Write(t.Context(), "control", []byte("1"), "")
	require.NoError(t, err)
	w.once(http.MethodPut, heldBack)
	_, err = a.Write(t.Context(), "control", []byte("ghost"), tag)
	require.ErrorIs(t, err, store.ErrUnknown)
	_, err = a.Write(t.Context(), "control", []byte("2"), tag)
	require.NoError(t, err)
	w.release()
	value, _, err := a.Read(t.Context(), "control")
	require.NoError(t, err)
	require.Equal(t, "2", string(value))
}

func head(t *testing.T, p versioned.Place, key string) versioned.Head {
	found, err := p.Head(t.Context(), key)
	require.NoError(t, err)
	return found
}
