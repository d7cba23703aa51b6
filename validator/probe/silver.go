package probe

import "time"

// silverProbes is what silver adds to the API brick, one line for each promise.
// A check demands only its own promise, so that one fault is one red line; where
// two promises meet, as listing and its freshness, one of them looks away.
func silverProbes() []Probe {
	return []Probe{
		silver("create-only", "If-None-Match: * creates an object, and never replaces one.", createOnly).weighing(2),
		silver("raced-create", "Of many concurrent creators of a key exactly one wins.", racedCreate).within(30 * time.Second).weighing(3),
		silver("swap", "If-Match replaces only the object that it names.", swap).weighing(2),
		silver("raced-swap", "Of many concurrent replacements of one version exactly one wins.", racedSwap).within(30 * time.Second).weighing(3),
		silver("delete-if-match", "DELETE with If-Match removes only the object that it names.", deleteIfMatch),
		silver("not-modified", "If-None-Match spares the bytes of what the reader has.", notModified),
		silver("modified-since", "If-Modified-Since spares the bytes of what did not change.", modifiedSince),
		silver("range", "A range is answered with exactly its bytes.", ranges).weighing(2),
		silver("range-edges", "A range outside the object is 416, and one that cannot be read is ignored.", rangeEdges),
		silver("if-range", "If-Range gives the part of an unchanged object, and a changed one whole.", ifRange),
		silver("list", "A listing shows the objects of a prefix in byte order, each as PUT described it.", list).weighing(2),
		silver("list-delimiter", "A delimiter folds keys into prefixes, each shown once.", listDelimiter).weighing(2),
		silver("list-pages", "Pages hold no more than the limit, and together everything once.", listPages).weighing(2),
		silver("list-fresh", "A listing shows every object acknowledged before it began.", listFresh).weighing(2),
		silver("list-bad", "A listing with a bad value is refused with 400.", listBad),
		silver("digest", "A body that does not match its Content-Digest is refused, and nothing is stored.", digest).weighing(2),
		silver("digest-form", "A Content-Digest that cannot be read is refused with 400.", digestForm),
		silver("repr-digest", "Repr-Digest is the digest of the whole object, where it is wanted.", reprDigest),
		silver("metadata", "Metadata comes back with the object, on GET and HEAD.", metadata).weighing(2),
		silver("metadata-replaced", "The next PUT replaces the metadata too.", metadataReplaced),
		silver("metadata-limit", "Metadata of 2 KiB is kept, and more is refused with 400.", metadataLimit),
		silver("xor", "The step xor gives exactly the bytes that the contract defines.", xor),
		silver("stretch", "The step stretch gives exactly the bytes that the contract defines.", stretch),
		silver("gzip", "The step gzip ends a chain, and its stream unpacks to what went in.", gzipped),
		silver("process-alone", "With process, conditions and ranges are ignored.", processAlone),
		silver("silver-problems", "What silver refuses is refused with problem documents (RFC 9457).", silverProblems),
	}
}
