package store

import "fmt"

// Check returns ErrCondition unless opts allow a write over what a key holds:
// an object with this ETag, or nothing where etag is empty.
func (opts PutOptions) Check(etag string) error {
	if opts.IfAbsent && etag != "" {
		return fmt.Errorf("%w: the key holds an object already", ErrCondition)
	}
	return CheckMatch(opts.IfMatch, etag)
}

// CheckMatch returns ErrCondition unless ifMatch is empty, or names etag, or is
// "*" and the key holds an object (etag is not empty). Weak tags name nothing
// (RFC 9110, section 13.1.1).
func CheckMatch(ifMatch, etag string) error {
	switch {
	case ifMatch == "":
		return nil
	case etag == "":
		return fmt.Errorf("%w: the key holds no object", ErrCondition)
	case ifMatch != "*" && ifMatch != etag:
		return fmt.Errorf("%w: the object is %s now, not %s", ErrCondition, etag, ifMatch)
	}
	return nil
}
