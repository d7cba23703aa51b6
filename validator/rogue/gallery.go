// Package rogue is a gallery of platforms that are wrong in exactly one way,
// and of faults of the judge itself, each with the verdicts it must get: the
// judge is judged by them.
package rogue

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"bogops/validator/probe"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// Rogue is one platform of the gallery.
type Rogue struct {
	Name string
	Why  string // what is wrong, in one sentence
	// Wants are the checks that must not be OK, and what they must be; every
	// other check must be OK.
	Wants map[string]verdict.Status
	// Patience bounds the time-out of each check; 0: the check's own.
	Patience time.Duration
	silver   bool // judged at silver, and honest there but for the change
	ceph     bool // stores in a cluster, a fake one, and is judged on that too

	concourse bool // is deployed by a pipeline, of a mock, and is judged on that alone
	change    func(*site) error
}

// checks are those that the rogue is judged by.
func (r Rogue) checks() []probe.Probe {
	bricks := []string{"api", "tls"}
	if r.concourse {
		bricks = []string{"concourse"}
	}
	if r.ceph {
		bricks = append(bricks, "ceph")
	}
	return probe.Select(probe.All(r.level()), bricks...)
}

// level is the one that the rogue is judged at.
func (r Rogue) level() string {
	if r.silver {
		return probe.Silver
	}
	return probe.Bronze
}

// Gallery is every rogue, the honest one first, then those judged at bronze, at
// silver, on Ceph, and on Concourse.
func Gallery() []Rogue {
	return slices.Concat(bronzeGallery(), silverGallery(), cephGallery(), concourseGallery())
}

func bronzeGallery() []Rogue {
	corrupt, mumble, down := verdict.Corrupt, verdict.Mumble, verdict.Down
	return []Rogue{
		{Name: "honest", Why: "Nothing is wrong."},
		{Name: "always-200", Why: "Everything is answered with 200 and ok.", change: handler(always200),
			Wants: without(merged(brick("api", mumble), checks(corrupt, "api/put-get", "api/large", "api/read-your-writes",
				"api/content-type", "api/keys", "api/chunked", "api/retry")), "health", "slow-clients")},
		{Name: "truncates", Why: "Of every object the first MiB is kept.", change: handler(truncates),
			Wants: checks(corrupt, "api/put-get", "api/large")},
		{Name: "forgets-on-restart", Why: "Every connection meets a process that was just started and remembers nothing.", change: forgets,
			Wants: merged(
				checks(corrupt, "api/put-get", "api/large", "api/read-your-writes", "api/content-type", "api/etag", "api/token", "api/delete", "api/chunked", "api/retry"),
				checks(mumble, "api/head", "api/reader", "api/slow-clients"))},
		{Name: "503-fast", Why: "Everything is refused quickly with 503.", change: handler(shedsAll),
			Wants: brick("api", mumble)},
		{Name: "slow-loris", Why: "Every answer comes byte by byte and never ends.", change: handler(loris),
			Wants: brick("api", down), Patience: time.Second},
		{Name: "one-at-a-time", Why: "A request waits until the one before has ended.", change: handler(oneAtATime),
			Wants: checks(mumble, "api/slow-clients")},
		{Name: "knows-the-judge", Why: "Only what calls itself the judge gets its objects processed right.", change: handler(knowsTheJudge),
			Wants: checks(mumble, "api/process")},
		{Name: "redirects", Why: "Every request is sent on to the other team.", change: handler(redirects),
			Wants: brick("api", mumble)},
		{Name: "no-consent", Why: "The self-description names another contest.", Wants: checks(mumble, "api/description"),
			change: func(s *site) error { s.platform.contest = "another"; s.target = contest("rogues"); return nil }},
		{Name: "nobody-home", Why: "Nothing listens.", Wants: merged(brick("api", down), brick("tls", down)),
			change: func(s *site) error { s.mute = true; return nil }},

		{Name: "self-signed", Why: "The certificate is signed by its own key.", Wants: untrusted("tls/chain"),
			change: certificate(func(s *site) (tls.Certificate, error) {
				leaf, key, err := sign(leafTemplate(host), nil, nil, nil)
				if err != nil {
					return tls.Certificate{}, err
				}
				return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}, nil
			})},
		{Name: "no-intermediate", Why: "The intermediate certificate is not sent.", Wants: untrusted("tls/chain"),
			change: certificate(func(s *site) (tls.Certificate, error) {
				whole, err := s.authority.leaf(nil, nil, host)
				if err == nil {
					whole.Certificate = whole.Certificate[:1]
				}
				return whole, err
			})},
		{Name: "expired", Why: "The certificate ended an hour ago.", Wants: untrusted("tls/dates"),
			change: leaf(func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
			})},
		{Name: "expires-soon", Why: "The certificate ends in an hour.", Wants: checks(mumble, "tls/dates"),
			change: leaf(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(time.Hour) })},
		{Name: "wrong-name", Why: "The certificate is for another name.", Wants: untrusted("tls/name"),
			change: leaf(func(c *x509.Certificate) { c.DNSNames = []string{"elsewhere.test"} })},
		{Name: "weak-key", Why: "The certificate's key is RSA of 1,024 bits.", Wants: checks(mumble, "tls/key"),
			change: certificate(func(s *site) (tls.Certificate, error) {
				weak, err := rsa.GenerateKey(rand.Reader, 1024)
				if err != nil {
					return tls.Certificate{}, err
				}
				return s.authority.leaf(weak, nil, host)
			})},
		{Name: "tls-1.0", Why: "TLS 1.0 is still accepted.", Wants: checks(mumble, "tls/versions"),
			change: func(s *site) error { s.tls.MinVersion = tls.VersionTLS10; return nil }},
		{Name: "needs-sni", Why: "Without SNI another name's certificate is shown.", Wants: checks(mumble, "tls/no-sni"), change: needsSNI},
		{Name: "one-bad-address", Why: "One of the name's two addresses serves nothing.", Wants: checks(down, "tls/addresses"), change: oneBadAddress},
		{Name: "redirect-drops-path", Why: "Plain HTTP redirects to the front page.", Wants: checks(mumble, "tls/redirect"),
			change: plain(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://"+host+"/", http.StatusPermanentRedirect)
			})},
		{Name: "redirect-elsewhere", Why: "Plain HTTP redirects to another host.", Wants: checks(mumble, "tls/redirect"),
			change: plain(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://elsewhere.test"+r.RequestURI, http.StatusPermanentRedirect)
			})},
		{Name: "serves-plain", Why: "Plain HTTP serves everything.", Wants: checks(mumble, "tls/redirect"),
			change: func(s *site) error { s.plain = s.platform; return nil }},

		{Name: "unknown-name", Why: "The platform's name does not exist.", Wants: merged(brick("api", down), brick("tls", down)),
			change: resolver(func() (*Names, error) { return NewNames(nil) })},
		{Name: "judge-resolver-fails", Why: "The judge's resolver answers SERVFAIL.", Wants: merged(brick("api", verdict.JudgeError), brick("tls", verdict.JudgeError)),
			change: resolver(NewFailingNames)},
		{Name: "judge-resolver-mute", Why: "The judge's resolver does not answer.", Wants: merged(brick("api", verdict.JudgeError), brick("tls", verdict.JudgeError)),
			change: resolver(NewMuteNames), Patience: time.Second},
	}
}

// brick is every check of a brick with this status.
func brick(id string, status verdict.Status) map[string]verdict.Status {
	wants := map[string]verdict.Status{}
	for _, p := range probe.Select(probe.All(probe.Bronze), id) {
		wants[p.Check.ID] = status
	}
	return wants
}

func checks(status verdict.Status, ids ...string) map[string]verdict.Status {
	wants := map[string]verdict.Status{}
	for _, id := range ids {
		wants[id] = status
	}
	return wants
}

// untrusted is a certificate that one check refuses, and with it every client.
func untrusted(check string) map[string]verdict.Status {
	return merged(brick("api", verdict.Mumble), checks(verdict.Mumble, check))
}

func merged(all ...map[string]verdict.Status) map[string]verdict.Status {
	wants := map[string]verdict.Status{}
	for _, some := range all {
		for id, status := range some {
			wants[id] = status
		}
	}
	return wants
}

// without leaves out checks of the API brick.
func without(wants map[string]verdict.Status, names ...string) map[string]verdict.Status {
	for _, name := range names {
		delete(wants, "api/"+strings.TrimPrefix(name, "api/"))
	}
	return wants
}

func contest(id string) func(*target.Target) { return func(t *target.Target) { t.Contest = id } }

func resolver(serve func() (*Names, error)) func(*site) error {
	return func(s *site) error {
		names, err := serve()
		if err != nil {
			return err
		}
		s.close = append(s.close, names.Close)
		s.target = func(t *target.Target) { t.Resolve, t.Resolver = nil, names.Resolver() }
		return nil
	}
}

// oneBadAddress gives the name two loopback addresses; only the first serves.
func oneBadAddress(s *site) error {
	names, err := NewNames(map[string][]netip.Addr{host: {netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")}})
	if err != nil {
		return err
	}
	s.close = append(s.close, names.Close)
	s.target = func(t *target.Target) { useNames(t, names.Resolver()) }
	return nil
}
