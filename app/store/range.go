package store

// Clip returns the part of an object of size bytes that r names: from is
// inclusive, to exclusive, and 0 <= from <= to <= size always holds.
func (r Range) Clip(size int64) (from, to int64) {
	from = min(max(r.Offset, 0), size)
	if r.Length < 0 || r.Length > size-from {
		return from, size
	}
	return from, from + r.Length
}
