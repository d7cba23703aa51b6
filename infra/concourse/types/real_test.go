package types_test

import (
	"context"
	"crypto/rand"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"

	"bogops/infra/concourse/concoursetest"
	"bogops/infra/concourse/image"
	"bogops/infra/git"
	"bogops/infra/registry"
	"bogops/infra/s3"
)

// pipeline uses every type for everything that it does. The bucket is made by
// its task, with the means of the image: curl signs for S3.
const pipeline = `
resources:
- name: kit
  type: git
  source: {uri: ((git)), branch: main, username: git, password: ((password))}
- name: every
  type: time
  source: {interval: 1h}
- name: package
  type: s3
  source: {bucket: types, regexp: kit-(.*).txt, endpoint: ((s3)), use_path_style: true, access_key_id: test, secret_access_key: ((secret))}
- name: image
  type: registry-image
  source: {repository: ((registry))/made, tag: v1}
jobs:
- name: everything
  plan:
  - in_parallel:
    - get: kit
      params: {depth: 1}
    - get: every
  - task: make
    config:
      platform: linux
      image_resource: {type: registry-image, source: {repository: ((registry))/tiny}}
      inputs: [{name: kit}, {name: every}]
      outputs: [{name: made}]
      params: {S3: ((s3)), SECRET: ((secret))}
      run:
        path: bash
        args:
        - -euc
        - |
          echo home >"$HOME/file"; echo tmp >/tmp/file; mkdir -p /root/.cache/x; test -s every/timestamp
          curl -sSf --aws-sigv4 aws:amz:us-east-1:s3 --user "test:$SECRET" -X PUT "$S3/types"
          git clone -q kit made/kit; cd made; cp kit/image.tar image.tar
          cp kit/text kit-1.2.3.txt
          cd kit; echo more >>text; git -c user.name=ci -c user.email=ci@localhost commit -qam 'by the pipeline [ci skip]'
  - put: package
    params: {file: made/kit-*.txt}
  - put: kit
    params: {repository: made/kit, rebase: true}
  - put: image
    params: {image: made/image.tar}
  - task: compare
    image: image
    config:
      platform: linux
      inputs: [{name: package}, {name: kit}]
      run:
        path: bash
        args: [-euxc, 'grep -qx 1.2.3 package/version; grep -qx hello package/kit-1.2.3.txt; grep -qx more kit/text; test -s kit/.git/ref; echo "all is there"']
`

// The types on a real worker, in containers of it: each has its files, reaches
// what it needs, and runs as root of a user namespace.
func TestAPipelineUsesEveryTypeOnARealConcourse(t *testing.T) {
	s := concoursetest.Shared(t)
	dir := t.TempDir()
	listen := func() net.Listener {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		return listener
	}
	inside := func(address string) string {
		at, err := s.Inside(t.Context(), address)
		require.NoError(t, err)
		return at
	}
	images, err := registry.Serve(listen(), filepath.Join(dir, "registry"))
	require.NoError(t, err)
	t.Cleanup(func() { images.Close() })
	tiny := filepath.Join(dir, "tiny.tar")
	require.NoError(t, image.Build(t.Context(), image.Options{Name: "tiny"}, tiny))
	config := image.Config{Env: []string{"PATH=/usr/bin:/bin", "HOME=/root"}}
	_, err = image.Push(t.Context(), images.Address(), "tiny", tiny, config)
	require.NoError(t, err)

	repositories, err := git.Serve(listen(), filepath.Join(dir, "git"), git.Options{Private: true})
	require.NoError(t, err)
	t.Cleanup(func() { repositories.Close() })
	const password, secret = "gänse+/marsch", "test"
	require.NoError(t, repositories.Create(t.Context(), "kit", password))
	at := url.URL{Scheme: "http", Host: repositories.Address(), Path: repositories.Path("kit"), User: url.UserPassword(git.User, password)}
	work := filepath.Join(dir, "work")
	run(t, dir, "git", "clone", "--quiet", at.String(), work)
	require.NoError(t, os.WriteFile(filepath.Join(work, "text"), []byte("hello\n"), 0o644))
	made, err := image.New(tiny, config)
	require.NoError(t, err)
	tag, err := name.NewTag("made:v1")
	require.NoError(t, err)
	require.NoError(t, tarball.WriteToFile(filepath.Join(work, "image.tar"), tag, made))
	run(t, work, "git", "checkout", "--quiet", "-B", "main")
	run(t, work, "git", "add", ".")
	run(t, work, "git", "-c", "user.name=otter", "-c", "user.email=o@example.org", "commit", "--quiet", "-m", "hello")
	run(t, work, "git", "push", "--quiet", "origin", "main")

	moto := s3.StartMoto(t)
	file := filepath.Join(dir, "pipeline.yml")
	require.NoError(t, os.WriteFile(file, []byte(pipeline), 0o600))
	fly := func(args ...string) string {
		out, err := s.Fly(t.Context(), args...)
		require.NoError(t, err, string(out))
		return string(out)
	}
	// fly checks resources of its own team only, which others use too.
	named := "types-" + strings.ToLower(rand.Text())
	fly("set-pipeline", "--non-interactive", "--pipeline", named, "--config", file,
		"--var", "git=http://"+inside(repositories.Address())+repositories.Path("kit"), "--var", "password="+password,
		"--var", "registry="+inside(images.Address()), "--var", "secret="+secret,
		"--var", "s3=http://"+inside(strings.TrimPrefix(moto.Endpoint, "http://")))
	t.Cleanup(func() {
		out, err := s.Fly(context.WithoutCancel(t.Context()), "destroy-pipeline", "--non-interactive", "--pipeline", named)
		require.NoError(t, err, string(out))
	})
	fly("unpause-pipeline", "--pipeline", named)
	for _, resource := range []string{"kit", "every"} {
		fly("check-resource", "--resource", named+"/"+resource)
	}
	said := fly("trigger-job", "--job", named+"/everything", "--watch")
	require.Contains(t, said, "all is there")
	require.NotContains(t, said, password)

	run(t, work, "git", "pull", "--quiet", "origin", "main")
	text, err := os.ReadFile(filepath.Join(work, "text"))
	require.NoError(t, err)
	require.Equal(t, "hello\nmore\n", string(text))
}

func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), args[0], args[1:]...)
	command.Dir = dir
	said, err := command.CombinedOutput()
	require.NoError(t, err, "%v: %s", args[:2], said)
}
