// Registryimage is the resource type registry-image: images in a registry that
// speaks OCI distribution. Its interface is that part of
// https://github.com/concourse/registry-image-resource which pipelines here
// use, so that they run unchanged with the official type.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"bogops/infra/concourse/types/resource"
)

func main() { kind().Main() }

func kind() resource.Type[source, version, getParams, putParams] {
	return resource.Type[source, version, getParams, putParams]{Name: "registry-image", Check: check, In: in, Out: out}
}

// source names an image. HTTP without TLS is spoken where Insecure says so, and
// with the address at which containers find what their own machine serves.
type source struct {
	Repository string `json:"repository"`
	Tag        tag    `json:"tag"` // "latest" where it is empty
	Username   string `json:"username"`
	Password   string `json:"password"`
	Insecure   bool   `json:"insecure"`
}

// tag is a string that YAML may take for a number: 1.26.
type tag string

func (t *tag) UnmarshalJSON(text []byte) error {
	var number json.Number
	if json.Unmarshal(text, &number) == nil && text[0] != '"' {
		*t = tag(number)
		return nil
	}
	return json.Unmarshal(text, (*string)(t))
}

// version is an image for good; the tag is how it was found.
type version struct {
	Tag    string `json:"tag,omitempty"`
	Digest string `json:"digest"`
}

// inside is the machine as its containers see it.
const inside = "10.80.0.1"

// Secrets has what HTTP sends in base64 (RFC 7617) too.
func (s source) Secrets() []string {
	if s.Password == "" {
		return nil
	}
	return []string{s.Password, s.Username + ":" + s.Password}
}

func (s source) Check() error {
	if s.Repository == "" {
		return errors.New("source.repository is missing, wanted a name like registry.example.org/team/image")
	}
	if (s.Username == "") != (s.Password == "") {
		return errors.New("source has one of username and password, wanted both or none")
	}
	if _, err := s.repository(); err != nil {
		return fmt.Errorf("source.repository is %q: %w", s.Repository, err)
	}
	if _, err := s.reference(); err != nil {
		return fmt.Errorf("source.tag is %q: %w", s.Tag, err)
	}
	return nil
}

func (s source) repository() (name.Repository, error) {
	to, err := name.NewRepository(s.Repository)
	if err != nil {
		return to, err
	}
	host, _, err := net.SplitHostPort(to.RegistryStr())
	if err != nil {
		host = to.RegistryStr()
	}
	if s.Insecure || host == inside {
		return name.NewRepository(s.Repository, name.Insecure)
	}
	return to, nil
}

func (s source) reference() (name.Tag, error) {
	to, err := s.repository()
	if err != nil {
		return name.Tag{}, err
	}
	wanted := string(s.Tag)
	if wanted == "" {
		wanted = name.DefaultTag
	}
	if _, err := name.NewTag("any:" + wanted); err != nil {
		return name.Tag{}, errors.New("wanted at most 128 letters, digits and ._-")
	}
	return to.Tag(wanted), nil
}

func (s source) options(ctx context.Context) []remote.Option {
	who := authn.Anonymous
	if s.Username != "" {
		who = authn.FromConfig(authn.AuthConfig{Username: s.Username, Password: s.Password})
	}
	return []remote.Option{
		remote.WithContext(ctx), remote.WithAuth(who),
		remote.WithPlatform(v1.Platform{OS: "linux", Architecture: "amd64"}),
	}
}

// check finds what the tag is now, and before it the version that was known
// where the registry still has it.
func check(ctx context.Context, log io.Writer, s source, from *version) ([]version, error) {
	to, err := s.reference()
	if err != nil {
		return nil, err
	}
	digest, err := digestOf(ctx, s, to)
	if missing(err) {
		fmt.Fprintf(log, "registry-image: %s is not there (yet)\n", to)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for %s: %w", to, err)
	}
	found := version{Tag: to.TagStr(), Digest: digest}
	if from == nil || from.Digest == digest {
		return []version{found}, nil
	}
	_, err = digestOf(ctx, s, to.Context().Digest(from.Digest))
	if missing(err) {
		return []version{found}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for %s@%s: %w", to.Context(), from.Digest, err)
	}
	return []version{*from, found}, nil
}

func digestOf(ctx context.Context, s source, ref name.Reference) (string, error) {
	head, err := remote.Head(ref, s.options(ctx)...)
	if err != nil {
		return "", err
	}
	return head.Digest.String(), nil
}

// missing tells an image that is not there from a registry that does not work.
func missing(err error) bool {
	var failed *transport.Error
	return errors.As(err, &failed) && failed.StatusCode == http.StatusNotFound
}
