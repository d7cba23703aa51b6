package certs

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	client "golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"bogops/infra/acme"
)

func TestAFleetThatStartsColdMakesOneOrder(t *testing.T) {
	t.Parallel()
	for _, count := range []int{1, 2, 6} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, calmAuthority)
			all := w.fleet(count, quickly())
			require.NoError(t, w.oneForAll(addrs(all), 20*time.Second))
			for _, i := range all {
				require.NoError(t, i.source.Ready())
				for name, end := range i.source.Ends() {
					require.True(t, end.After(time.Now()), name)
				}
				require.NotEmpty(t, i.source.Ends())
			}
		})
	}
}

func TestNoOrderIsMadeBeforeTheServerIsHeard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, calmAuthority)
	i := w.start(w.config("a"), quickly())
	require.Never(t, func() bool { return w.authority.Orders() > 0 }, 300*time.Millisecond, 20*time.Millisecond)
	require.ErrorContains(t, i.source.Ready(), "waiting until the server listens")
	require.NoError(t, w.oneForAll([]string{i.addr}, 10*time.Second), "the first client starts it")
}

func TestAServerThatNobodyVisitsOrdersAllTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t, calmAuthority)
	p := quickly()
	p.settle = 100 * time.Millisecond
	i := w.start(w.config("a"), p)
	require.Eventually(t, func() bool { return i.source.Ready() == nil }, 10*time.Second, 10*time.Millisecond)
}

func TestAnIssuerLooksAgainOnceItHoldsTheLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t, calmAuthority)
	i := w.start(w.config("a"), quickly())
	require.NoError(t, w.served([]string{i.addr}, 10*time.Second))
	require.NoError(t, i.source.Close())

	late := i.source.origin.(*fleet) // as if it had looked before the certificate came
	late.held = map[string]*tls.Certificate{}
	var err error
	late.term, err = seize(t, late.lease)
	require.NoError(t, err)
	require.NoError(t, late.issue(nil))
	require.NotNil(t, late.held[otters])
	require.Equal(t, 1, w.authority.Orders())
}

// Autocert with a cache that its instances share is what one would write first.
// If this test fails, the rule above no longer tells a fleet from it.
func TestAutocertOnASharedCacheBreaksTheRule(t *testing.T) {
	t.Parallel()
	w := newWorld(t, calmAuthority)
	transport, err := newTransport(w.root)
	require.NoError(t, err)
	defer transport.CloseIdleConnections()
	var all []string
	for range 3 {
		manager := &autocert.Manager{
			Prompt:     autocert.AcceptTOS,
			Cache:      autocert.DirCache(w.cache),
			HostPolicy: autocert.HostWhitelist(otters),
			Client: &client.Client{
				DirectoryURL: w.authority.Directory(),
				HTTPClient:   &http.Client{Transport: transport},
			},
		}
		addr := serve(t, manager.TLSConfig())
		w.front.add(addr)
		all = append(all, addr)
	}
	knocked := make(chan struct{}, len(all))
	for _, addr := range all {
		go func() { _, _ = w.dial(addr, otters); knocked <- struct{}{} }()
	}
	for range all {
		<-knocked
	}
	err = w.oneForAll(all, 100*time.Millisecond)
	require.Error(t, err)
	t.Logf("as it should: %v, after %d orders", err, w.authority.Orders())
}

func TestAnIssuerThatDiesInMidOrderIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, calmAuthority)
	cfg, cache := w.configOver("a")
	var first *instance
	started, died := make(chan struct{}), make(chan struct{})
	cache.onPut(tokenSuffix, func() {
		<-started
		first.kill() // with the lease, an order and an answer in the cache
		w.front.remove(first.addr)
		close(died)
	})
	p := quickly()
	p.lease = 3 * time.Second
	first = w.start(cfg, p)
	second := w.start(w.config("b"), p)
	close(started)
	_, _ = w.dial(first.addr, otters)
	<-died
	require.ErrorContains(t, second.source.Ready(), "no certificate for otters.test is held")

	require.NoError(t, w.served([]string{second.addr}, 20*time.Second))
	require.Equal(t, 2, w.authority.Orders())
	require.Equal(t, 1, w.authority.Certificates())
}

func TestClosingAnIssuerHandsItsLeaseOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, calmAuthority)
	cfg, cache := w.configOver("a")
	reached := make(chan struct{})
	cache.onPut(tokenSuffix, func() { close(reached) })
	long := quickly()
	long.lease = time.Hour // nobody waits that long
	first := w.start(cfg, long)
	_, _ = w.dial(first.addr, otters)
	<-reached
	w.front.remove(first.addr)
	require.NoError(t, first.source.Close())

	second := w.start(w.config("b"), long)
	require.NoError(t, w.served([]string{second.addr}, 10*time.Second))
	require.LessOrEqual(t, w.authority.Orders(), 2)
}

func TestHalfOfAllNoncesRefusedCostsNoSecondOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acme.Options{BadNonces: 50})
	require.NoError(t, w.oneForAll(addrs(w.fleet(2, quickly())), 20*time.Second))
}

func TestWhereOnlyPort80AnswersTheFleetStillGetsOneCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, calmAuthority)
	w.authority.Route(otters, "", w.plain.addr())
	var all []*instance
	for _, name := range []string{"a", "b", "c"} {
		i := w.start(w.config(name), quickly())
		w.plain.add(servePlain(t, i.source.HTTPHandler(nil)))
		all = append(all, i)
	}
	for range all {
		_, _ = w.dial(w.front.addr(), otters)
	}
	require.NoError(t, w.served(addrs(all), 20*time.Second))
	require.Equal(t, 2, w.authority.Orders(), "one for the challenge that failed")
	require.Equal(t, 1, w.authority.Certificates())
}

func TestANameThatCannotBeProvedRestsForTheWholeFleet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, calmAuthority)
	w.authority.Route(otters, "", "")
	patient := quickly()
	patient.rest = time.Hour
	all := w.fleet(3, patient)
	for _, i := range all {
		require.Eventually(t, func() bool {
			err := i.source.Ready()
			return err != nil && errorContains(err, "attempts that failed: 1") &&
				errorContains(err, "every challenge has been tried; the authority says: tls-alpn-01")
		}, 10*time.Second, 20*time.Millisecond)
	}
	require.Equal(t, 1, w.authority.Orders())
}
