package fleet

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// putPackage takes a package in: 201 for a new one, 200 for one that is there
// with the same bytes.
func (g *Group) putPackage(w http.ResponseWriter, r *http.Request) (reply, error) {
	name := r.PathValue("name")
	if !packageName.MatchString(name) || name == BuiltIn {
		return reply{}, refusef(http.StatusUnprocessableEntity, "package name: %.120q given; want %s, and not %s", name, packageName, BuiltIn)
	}
	want, err := digest(r)
	if err != nil {
		return reply{}, err
	}
	if r.ContentLength > g.packages.limit {
		return reply{}, refusef(http.StatusRequestEntityTooLarge, "Content-Length: %d given; want at most %d", r.ContentLength, g.packages.limit)
	}
	about, fresh, err := g.packages.put(name, r.Body, want)
	if err != nil {
		return reply{}, err
	}
	if err := g.packages.prune(g.used(name)); err != nil {
		g.logf("remove old packages: %v", err)
	}
	status := http.StatusOK
	if fresh {
		status = http.StatusCreated
	}
	return reply{status, about}, nil
}

// used are the packages that must stay, with the one that has just come.
func (g *Group) used(fresh string) map[string]bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	used := map[string]bool{fresh: true}
	for _, r := range []*Release{g.state.Release, g.state.Previous} {
		if r != nil {
			used[r.Package] = true
		}
	}
	for _, m := range g.machines {
		used[m.release.Package] = true
	}
	return used
}

// digest is the SHA-256 that the sender says the body has, by Repr-Digest or
// Content-Digest (RFC 9530): they are the same for a PUT without an encoding.
func digest(r *http.Request) (sum [sha256.Size]byte, err error) {
	for _, header := range []string{"Repr-Digest", "Content-Digest"} {
		for field := range strings.SplitSeq(strings.Join(r.Header.Values(header), ","), ",") {
			encoded, found := strings.CutPrefix(strings.TrimSpace(field), "sha-256=:")
			if !found {
				continue
			}
			raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(encoded, ":"))
			if err != nil || len(raw) != sha256.Size || !strings.HasSuffix(encoded, ":") {
				return sum, refusef(http.StatusBadRequest, "%s: %.120q given; want sha-256=:BASE64: of 32 bytes", header, field)
			}
			return [sha256.Size]byte(raw), nil
		}
	}
	return sum, refusef(http.StatusBadRequest, "no digest given; want Repr-Digest: sha-256=:BASE64: (RFC 9530)")
}
