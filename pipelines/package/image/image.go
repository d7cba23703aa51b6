// Package image makes a container image of one program, without an engine: the
// program, the shared libraries that it names, the public certificate
// authorities, and nothing else. There is no shell in it.
package image

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/crypto/x509roots/fallback/bundle"

	"bogops/pipelines/package/artefact"
)

// Settings are what the image says of its program.
type Settings struct {
	Name    string // repository and title, such as bogops/app
	Version string // tag
	Program string // its name in the image, below /usr/local/bin
	Built   time.Time
	Env     []string
	Ports   []string // such as 8443/tcp
	Data    string   // directory that the program may write to: a volume
}

// user is whom the program runs as: nobody in particular, and not root.
const user = 10001

// Write writes the image as an archive that `docker load` and the registry-image
// resource read. The same program, the same libraries beside it and the same
// settings give the same bytes.
func Write(w io.Writer, s Settings, program []byte) error {
	libraries, err := Libraries(program)
	if err != nil {
		return fmt.Errorf("image %s: %w", s.Name, err)
	}
	files := append(libraries,
		artefact.File{Name: "usr/local/bin/" + s.Program, Mode: 0o755, Content: program},
		artefact.File{Name: "etc/ssl/certs/ca-certificates.crt", Mode: 0o644, Content: authorities()},
		artefact.File{Name: "etc/passwd", Mode: 0o644, Content: fmt.Appendf(nil, "bogops:x:%d:%d::/:/sbin/nologin\n", user, user)},
		artefact.File{Name: "etc/nsswitch.conf", Mode: 0o644, Content: []byte("hosts: files dns\n")},
	)
	var layers []v1.Layer
	for _, content := range []func(io.Writer) error{
		func(w io.Writer) error { return artefact.WriteTar(w, s.Built, files) },
		func(w io.Writer) error { return writeDirectories(w, s.Built, s.Data) },
	} {
		layer, err := layerOf(content)
		if err != nil {
			return fmt.Errorf("image %s: %w", s.Name, err)
		}
		layers = append(layers, layer)
	}
	made, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		return fmt.Errorf("image %s: %w", s.Name, err)
	}
	if made, err = mutate.ConfigFile(made, s.config(made)); err != nil {
		return fmt.Errorf("image %s: %w", s.Name, err)
	}
	tag, err := name.NewTag(s.Name + ":" + s.Version)
	if err != nil {
		return fmt.Errorf("image %s: %w", s.Name, err)
	}
	if err := tarball.Write(tag, made, w); err != nil {
		return fmt.Errorf("write image %s: %w", tag, err)
	}
	return nil
}

// config keeps what made already knows: its layers.
func (s Settings) config(made v1.Image) *v1.ConfigFile {
	ports := map[string]struct{}{}
	for _, port := range s.Ports {
		ports[port] = struct{}{}
	}
	config := &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH, Created: v1.Time{Time: s.Built.UTC()},
		Config: v1.Config{
			Entrypoint: []string{"/usr/local/bin/" + s.Program}, User: fmt.Sprint(user), Env: s.Env, ExposedPorts: ports,
			Labels: map[string]string{
				"org.opencontainers.image.title":   s.Name,
				"org.opencontainers.image.version": s.Version,
			},
		},
	}
	if s.Data != "" {
		config.Config.Volumes = map[string]struct{}{s.Data: {}}
	}
	if known, err := made.ConfigFile(); err == nil {
		config.RootFS, config.History = known.RootFS, known.History
	}
	return config
}

func layerOf(write func(io.Writer) error) (v1.Layer, error) {
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content.Bytes())), nil
	})
}

// authorities are Mozilla's, as the module that go.sum fixes has them, and not
// those of the machine that builds.
func authorities() []byte {
	var file bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil { // a file cannot say under what a root is trusted
			_ = pem.Encode(&file, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes all
		}
	}
	return file.Bytes()
}
