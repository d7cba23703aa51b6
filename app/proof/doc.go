// Package proof breaks what the fall-back stands on, piece by piece, under a
// platform of real parts: two processes of the built program, a Ceph cluster, an
// S3 server that is another system, and sixteen clients over HTTP. Every answer
// that a client got has to be one that a single register per key would give, and
// in the end every object is read back through the API and, with the judge's
// key, in Ceph itself. All of it is tests; they need the tag ceph.
//
//	BOGOPS_SEED         replays what clients send, and to whom
//	BOGOPS_FREEZE       how long the OSDs stand still; 10s
//	BOGOPS_SOAK         go round with other seeds until so much time has passed; 0
//	BOGOPS_PROOF_S3     moto, or radosgw: the gateway of a second cluster
//	BOGOPS_PROOF_TABLE  a file that the table is added to
package proof
