package store

import "context"

// Location says where the bytes of an object lie, so that somebody else can
// read them there. It is a claim, and true for the write named by ETag only.
type Location struct {
	Kind string // the contract's word: ceph, s3, filesystem
	ETag string
	Size int64 // bytes

	FSID, Pool, Namespace string  // Ceph: the cluster, and where in it
	Pieces                []Piece // Ceph: in order of Offset; none where Size is 0

	Bucket, Object string // S3
}

// Piece is a part of an object: Length bytes that begin at byte At of the RADOS
// object Name and at byte Offset of the object.
type Piece struct {
	Name               string
	At, Offset, Length int64
}

// Locator is a store that knows where its bytes lie.
type Locator interface {
	// Locate returns where key lies; ErrNotFound where it holds nothing.
	Locate(ctx context.Context, key string) (Location, error)
}
