package rogue

import (
	"context"
	"errors"

	"bogops/validator/ceph"
	"bogops/validator/ceph/cephfake"
	"bogops/validator/verdict"
)

// cephGallery is the rogues that are judged on Ceph: platforms that store in a
// cluster, or pretend to, clusters that are less than was wanted, and ways into
// them that fail. The cluster is a fake one; against a real one the honest
// platform is the reference.
func cephGallery() []Rogue {
	const health, topology, roundtrip, sentinel, delta = "ceph/health", "ceph/topology", "ceph/roundtrip", "ceph/sentinel", "ceph/delta"
	unproven, degraded := verdict.Unproven, verdict.Degraded
	rogues := []Rogue{
		{Name: "honest-on-ceph", Why: "Nothing is wrong."},
		{Name: "claims-ceph", Why: "It stores elsewhere, and its evidence names objects that Ceph does not have.",
			Wants: checks(unproven, roundtrip, sentinel, delta), change: stores(func(b *backing) { b.cluster = cephfake.New() })},
		{Name: "on-s3", Why: "It stores in S3, and says so.", Wants: checks(unproven, roundtrip, sentinel, delta),
			change: stores(func(b *backing) {
				b.cluster = cephfake.New()
				b.pretends = func(c ceph.Claim) ceph.Claim {
					return ceph.Claim{Store: "s3", ETag: c.ETag, Size: c.Size, Bucket: "bucket", Object: "object"}
				}
			})},
		{Name: "caches", Why: "It writes to Ceph and serves from its memory.", Wants: checks(verdict.Mumble, sentinel),
			change: stores(func(b *backing) { b.caches = true })},
		{Name: "sheds-load", Why: "Nothing is wrong: under load it refuses with 429, and serves no bytes.",
			change: stores(func(b *backing) { b.sheds = true })},
		{Name: "hides-what-was-proven", Why: "What was just proven is gone from Ceph before it can be removed.", Wants: checks(unproven, sentinel),
			change: cluster(func(s *site) {
				s.way.Remove = func(_ context.Context, o ceph.Object) error {
					s.cluster.Delete(o)
					return errors.New("exit 2: no such object")
				}
			})},
		{Name: "other-bytes", Why: "Its evidence names objects in Ceph that hold other bytes.", Wants: checks(verdict.Corrupt, roundtrip, sentinel),
			change: stores(func(b *backing) { b.damage = flipped })},
		{Name: "refuses-evidence", Why: "The evidence call answers 403.", Wants: checks(unproven, roundtrip, sentinel),
			change: stores(func(b *backing) { b.silent = refusesEvidence })},
		{Name: "another-cluster", Why: "Its evidence names a cluster that the judge does not see.", Wants: checks(unproven, roundtrip, sentinel),
			change: tells(func(c *ceph.Claim) { c.FSID = "another" })},
		{Name: "another-pool", Why: "Its evidence names a pool that was not agreed.", Wants: checks(unproven, roundtrip, sentinel),
			change: tells(func(c *ceph.Claim) { c.Pool = "another" })},
		{Name: "lends-a-pool", Why: "No pool was agreed, and the one that it names holds nothing of it.", Wants: checks(unproven, topology, roundtrip, sentinel, delta),
			change: func(s *site) error {
				s.way.Pool = ""
				return stores(func(b *backing) { b.cluster = cephfake.New() })(s)
			}},
		{Name: "half-the-evidence", Why: "Its evidence leaves out the last piece.", Wants: checks(unproven, roundtrip, sentinel),
			change: tells(func(c *ceph.Claim) { c.Pieces = c.Pieces[:len(c.Pieces)-1] })},
		{Name: "evidence-of-another-write", Why: "Its evidence carries another ETag.", Wants: checks(unproven, roundtrip, sentinel),
			change: tells(func(c *ceph.Claim) { c.ETag = `"another"` })},
		{Name: "small-pool", Why: "The pool's statistics show nothing of what is put.", Wants: checks(unproven, delta),
			change: cluster(func(s *site) { s.cluster.Frozen = true })},

		{Name: "sick-cluster", Why: "The cluster is in HEALTH_ERR.", Wants: checks(degraded, health),
			change: cluster(func(s *site) { s.cluster.Health = "HEALTH_ERR" })},
		{Name: "two-osds", Why: "The cluster has two OSDs.", Wants: checks(degraded, topology),
			change: cluster(func(s *site) { s.cluster.OSDs, s.cluster.Size = 2, 2 })},
		{Name: "one-monitor", Why: "The cluster has one monitor.", Wants: checks(degraded, topology),
			change: cluster(func(s *site) { s.cluster.Monitors = 1 })},
		{Name: "one-copy", Why: "The pool keeps one copy.", Wants: checks(degraded, topology),
			change: cluster(func(s *site) { s.cluster.Size, s.cluster.MinSize = 1, 1 })},
		{Name: "acknowledges-one-copy", Why: "The pool acknowledges what one OSD holds.", Wants: checks(degraded, topology),
			change: cluster(func(s *site) { s.cluster.MinSize = 1 })},
		{Name: "copies-on-one-host", Why: "Copies are spread over OSDs and not over hosts.", Wants: checks(degraded, topology),
			change: cluster(func(s *site) { s.cluster.Domain = "osd" })},
		{Name: "one-machine", Why: "The hosts of CRUSH are three names of one machine.", Wants: checks(degraded, topology),
			change: cluster(func(s *site) { s.cluster.OneMachine = true })},

		{Name: "no-access", Why: "The team gave no way into its Ceph.",
			Wants:  merged(checks(unproven, health, topology, roundtrip, delta), checks(verdict.NotInPlay, sentinel)),
			change: cluster(func(s *site) { s.way = ceph.Nowhere(); s.way.Pool = "objects" })},
		{Name: "metrics-alone", Why: "The team gave its manager's metrics and nothing else.",
			Wants: merged(checks(unproven, topology, roundtrip, delta), checks(verdict.NotInPlay, sentinel)),
			change: cluster(func(s *site) {
				s.way = ceph.Nowhere()
				s.way.Pool, s.way.Metrics = "objects", func(context.Context) (string, error) { return "HEALTH_OK", nil }
			})},
		{Name: "honest-by-gateway", Why: "Nothing is wrong, and the gateway shows it too.", change: gateway(nil)},
		{Name: "gateway-alone", Why: "The team gave a gateway, which only it serves, and no way to the monitors.",
			Wants: checks(unproven, health, topology, roundtrip, sentinel, delta),
			change: func(s *site) error {
				s.way.Access = broken{ceph.ErrNoWay}
				return gateway(nil)(s)
			}},
		{Name: "gateway-of-another-bucket", Why: "Its evidence names no object of the gateway.", Wants: checks(unproven, roundtrip, sentinel),
			change: func(s *site) error { s.way.Gateway = shown{s.platform, nil}; return nil }},
		{Name: "gateway-differs", Why: "The gateway shows other bytes than lie in RADOS.", Wants: checks(verdict.Corrupt, roundtrip, sentinel),
			change: gateway(flipped)},
		{Name: "key-withdrawn", Why: "The cluster no longer takes the judge's key.", Wants: checks(unproven, health, topology, roundtrip, sentinel, delta),
			change: cluster(func(s *site) { s.way.Access = broken{ceph.ErrDenied} })},
		{Name: "cluster-silent", Why: "The monitors do not answer, while the control does.",
			Wants:  merged(checks(verdict.Down, health), checks(unproven, topology, roundtrip, sentinel, delta)),
			change: cluster(func(s *site) { s.way.Access = broken{ceph.ErrUnreachable} })},
		{Name: "organisers-hand-fails", Why: "The organiser's command removes nothing.", Wants: checks(verdict.JudgeError, sentinel),
			change: cluster(func(s *site) {
				s.way.Remove = func(context.Context, ceph.Object) error { return ceph.ErrNotFound }
			})},
		{Name: "judge-without-librados", Why: "The judge was built without librados.", Wants: checks(verdict.JudgeError, health, topology, roundtrip, sentinel, delta),
			change: cluster(func(s *site) { s.way.Access = broken{ceph.ErrBuild} })},
	}
	for i := range rogues {
		rogues[i].ceph = true
	}
	return rogues
}
