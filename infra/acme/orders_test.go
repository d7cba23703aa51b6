package acme

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAccountsAreRegisteredOneAtATime(t *testing.T) {
	var mu sync.Mutex
	inside, most := 0, 0
	o := &orders{next: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		inside++
		most = max(most, inside)
		mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		mu.Lock()
		inside--
		mu.Unlock()
	})}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { o.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, newAccount, nil)) })
	}
	all.Wait()
	require.Equal(t, 1, most)
}
