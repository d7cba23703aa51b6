package radosstore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func after(seconds float64) time.Time {
	return noon.Add(time.Duration(seconds * float64(time.Second)))
}

func TestATimeOutMeansDownUntilALaterOperationSucceeds(t *testing.T) {
	var m mood
	m.success(after(0))
	require.Equal(t, store.Healthy, m.health(after(0)).State)
	m.timeout(after(1), after(4))
	require.Equal(t, store.Down, m.health(after(4)).State)
	require.ErrorIs(t, m.refuse(), store.ErrUnavailable)
	m.success(after(0.5)) // had begun before: says nothing of now
	require.Equal(t, store.Down, m.health(after(4)).State)
	m.success(after(4.1))
	require.NoError(t, m.refuse())
	require.Equal(t, store.Degraded, m.health(after(5)).State)
	require.Equal(t, store.Healthy, m.health(after(15)).State)
}

func TestATimeOutOfSomeOperationsIsNotDown(t *testing.T) {
	var m mood
	m.success(after(2))
	m.timeout(after(1), after(4))
	require.NoError(t, m.refuse())
	require.Equal(t, store.Degraded, m.health(after(4)).State)
}

func TestAFailedRoundTripIsDownWhateverElseSucceeds(t *testing.T) {
	var m mood
	m.success(after(2))
	m.failure(after(1), "No.")
	require.Equal(t, store.Health{State: store.Down, Reason: "No."}, m.health(after(3)))
}

func TestASlowRoundTripIsDegraded(t *testing.T) {
	var m mood
	m.trip(1500 * time.Millisecond)
	require.Equal(t, store.Degraded, m.health(after(0)).State)
	m.trip(time.Millisecond)
	require.Equal(t, store.Healthy, m.health(after(0)).State)
}

func TestAFullPoolIsDegradedForAWhile(t *testing.T) {
	var m mood
	m.refusal(after(1))
	require.Equal(t, store.Degraded, m.health(after(10)).State)
	require.NoError(t, m.refuse(), "reads go on")
	require.Equal(t, store.Healthy, m.health(after(12)).State)
}
