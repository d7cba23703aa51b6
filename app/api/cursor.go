package api

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"strings"

	"bogops/app/store"
)

// A cursor says where the next page of one listing begins. It is the base64
// (RFC 4648, section 5, no padding) of
//
//	version, 1 byte: 1
//	length of the prefix, uvarint
//	length of the delimiter, uvarint, and the delimiter
//	last entry of the page before, which begins with the prefix
//	CRC-32 (IEEE) of all that, 4 bytes, big-endian
//
// It holds nothing that its holder has not just read, so it needs no secret,
// and it never expires: any instance reads the cursors of any other. The
// checksum catches what was cut or mistyped. Whoever forges a valid one has
// only named another place to begin at, and may list from there anyway.
const cursorVersion = 1

// formatCursor returns the cursor of the page after the one of opts that ended
// with the entry last.
func formatCursor(opts store.ListOptions, last string) string {
	raw := []byte{cursorVersion}
	raw = binary.AppendUvarint(raw, uint64(len(opts.Prefix)))
	raw = binary.AppendUvarint(raw, uint64(len(opts.Delimiter)))
	raw = append(raw, opts.Delimiter...)
	raw = append(raw, last...)
	raw = binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(raw))
	return base64.RawURLEncoding.EncodeToString(raw)
}

// parseCursor returns the entry that a cursor of this listing goes on after;
// false where it is no cursor, or one of another listing.
func parseCursor(opts store.ListOptions, cursor string) (after string, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) < 1+1+1+4 || raw[0] != cursorVersion {
		return "", false
	}
	_, n := binary.Uvarint(raw[1:])
	if n <= 0 {
		return "", false
	}
	_, m := binary.Uvarint(raw[1+n:])
	if m <= 0 {
		return "", false
	}
	entry, delimited := bytes.CutPrefix(raw[1+n+m:], []byte(opts.Delimiter))
	if !delimited || len(entry) < 4 {
		return "", false
	}
	after = string(entry[:len(entry)-4])
	if !strings.HasPrefix(after, opts.Prefix) || store.CheckKey(after) != nil {
		return "", false
	}
	// The lengths, their shortest encoding and the checksum are compared at
	// once: only what formatCursor writes is taken.
	return after, formatCursor(opts, after) == cursor
}
