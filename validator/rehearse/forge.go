package rehearse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"bogops/infra/ceph"
	"bogops/infra/concourse"
	"bogops/infra/concourse/image"
	"bogops/infra/git"
	"bogops/infra/registry"
	"bogops/validator/nonce"
)

// forge is what continuous deployment needs around the platforms: one Concourse
// with a team for each of them, their repositories, a registry with the image
// that tasks run in, an S3 server for packages, and the judge's nonces. On the
// day each team has its own, and the nonces lie beside the wall.
type forge struct {
	server   *concourse.Server
	repos    *git.Server
	images   *registry.Server
	packages ceph.Gateway
	nonces   *nonce.Host
	site     *http.Server  // of the nonces
	served   chan struct{} // closed once it has ended
	siteAt   string        // host:port
	tree     string        // a copy of the kit's source that teams push from
	dir      string
	log      *os.File
}

// ciName is the name that Concourse has its certificate for.
const ciName = "ci.example.net"

// builder is the image that tasks run in.
const builder = "bogops-builder"

// errNoForge is a machine that cannot have Concourse in play.
var errNoForge = badOptionf("--with-concourse: want root, --with-ceph (its gateway keeps the packages), git, and on Debian or Ubuntu: apt-get install --no-install-recommends postgresql containerd runc iptables containernetworking-plugins jq radosgw")

// openForge starts everything that does not wait for a platform. What stands
// when something failed is for close.
func (c *cast) openForge(ctx context.Context, source, work, logs string) error {
	f := &forge{dir: filepath.Join(work, "forge")}
	c.forge = f
	var err error
	if f.log, err = os.Create(filepath.Join(logs, "concourse.log")); err != nil {
		return err
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return f.openConcourse(ctx, c, filepath.Join(work, "acme-root.pem")) })
	group.Go(func() error { return f.openRegistry(ctx, source) })
	group.Go(func() error { return f.openRepositories(ctx, source) })
	group.Go(func() error { return f.openNonces(string(c.seed)) })
	return group.Wait()
}

// admit gives every member its place, and the packages theirs: in the witness's
// Ceph, which is broken like the others, but only under load.
func (f *forge) admit(ctx context.Context, c *cast) error {
	var err error
	if f.packages, err = c.member("temoin").cluster.Gateway(ctx); err != nil {
		return err
	}
	for _, m := range c.members {
		if err := f.settle(ctx, m, c.roots); err != nil {
			return err
		}
	}
	return nil
}

// openConcourse starts Concourse, which gets its certificate as the platforms do.
func (f *forge) openConcourse(ctx context.Context, c *cast, acmeRoot string) error {
	server, err := concourse.Start(ctx, concourse.Options{
		Dir: filepath.Join(f.dir, "concourse"), Fast: true, Log: f.log,
		TLS: &concourse.TLS{Name: ciName, Directory: c.authority.Directory(), DirectoryRoot: acmeRoot},
	})
	if err != nil {
		return fmt.Errorf("start Concourse: %w: see its log", err)
	}
	f.server = server
	c.authority.Route(ciName, server.Address(), "")
	return nil
}

// openRegistry makes the image and puts it where Concourse fetches it from.
func (f *forge) openRegistry(ctx context.Context, source string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if f.images, err = registry.Serve(listener, filepath.Join(f.dir, "registry")); err != nil {
		return err
	}
	tar := filepath.Join(f.dir, "builder.tar")
	// The tree knows what its tasks build and test, and so what is to be warm.
	if err := run(ctx, f.log, nil, "make", "-s", "-C", source, "builder-image", "OUT="+tar); err != nil {
		return fmt.Errorf("the image of tasks: %w", err)
	}
	_, err = image.Push(ctx, f.images.Address(), builder+":1", tar, image.Config{Env: image.Environment()})
	return err
}

// openRepositories starts the git server and lays out what teams push from.
func (f *forge) openRepositories(ctx context.Context, source string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if f.repos, err = git.Serve(listener, filepath.Join(f.dir, "repositories"), git.Options{Private: true}); err != nil {
		return err
	}
	f.tree = filepath.Join(f.dir, "tree")
	return copyTree(ctx, source, f.tree, f.log)
}

// openNonces serves the judge's repositories, as `serve` does beside the wall.
func (f *forge) openNonces(seed string) error {
	var err error
	if f.nonces, err = nonce.Open(filepath.Join(f.dir, "nonces"), seed); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	f.site, f.siteAt = &http.Server{Handler: f.nonces, ReadHeaderTimeout: 10 * time.Second}, listener.Addr().String()
	f.served = make(chan struct{})
	go func() {
		defer close(f.served)
		_ = f.site.Serve(listener) // ends by close
	}()
	return nil
}

// close ends everything, in any state.
func (f *forge) close() error {
	if f == nil {
		return nil
	}
	var errs []error
	if f.server != nil {
		errs = append(errs, f.server.Stop())
	}
	for _, c := range []io.Closer{closing(f.site), closing(f.images), closing(f.repos), closing(f.log)} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	if f.served != nil {
		<-f.served
	}
	return errors.Join(errs...)
}

// closing is c where it was opened.
func closing[T any, P interface {
	*T
	io.Closer
}](c P) io.Closer {
	if c == nil {
		return nil
	}
	return c
}
