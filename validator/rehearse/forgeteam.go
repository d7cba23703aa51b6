package rehearse

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"bogops/infra/concourse"
	"bogops/infra/git"
	judge "bogops/validator/concourse"
	"bogops/validator/contest"
)

// A workshop is one team's part of the forge: what it builds and deploys with.
type workshop struct {
	owner    *judge.Client // the team's own login, which may do everything to its pipeline
	password string        // of the repository
}

// pipeline is the name of the norm (CHALLENGE.md, section 5).
const pipeline = "bogops"

// settle gives a member its place in the forge: a team in Concourse with a login
// for the judge, an empty repository, a bucket, and its pipeline.
func (f *forge) settle(ctx context.Context, m *member, roots *x509.CertPool) error {
	id := m.team.ID
	owner := concourse.Login{User: id, Password: randomHex(16)}
	operator := concourse.Login{User: "judge-of-" + id, Password: randomHex(16)}
	if err := f.server.Team(ctx, id, owner, operator); err != nil {
		return err
	}
	m.workshop.password = randomHex(16)
	if err := f.repos.Create(ctx, id, m.workshop.password); err != nil {
		return err
	}
	if err := f.packages.Bucket(ctx, id); err != nil {
		return err
	}
	if err := f.nonces.Prepare(ctx, id); err != nil {
		return err
	}
	m.team.Concourse = &contest.Concourse{
		URL: f.server.URL(), Team: id, Pipeline: pipeline, User: operator.User, Password: contest.Secret(operator.Password),
	}
	m.team.Resolve[ciName] = f.server.Address()
	m.workshop.owner = judge.Open(
		judge.Access{URL: f.server.URL(), Team: id, Pipeline: pipeline, User: owner.User, Password: contest.Secret(owner.Password)},
		judge.Options{Roots: roots, Resolve: m.team.Resolve},
	)
	return nil
}

// setPipeline sets the kit's own pipeline as it is in the team's repository.
func (f *forge) setPipeline(ctx context.Context, m *member, roots []byte) error {
	if err := f.server.Secrets(ctx, m.team.ID, f.secrets(m)); err != nil {
		return err
	}
	vars, err := f.vars(ctx, m, roots)
	if err != nil {
		return err
	}
	text, err := json.Marshal(vars)
	if err != nil {
		return err
	}
	file := filepath.Join(f.dir, m.team.ID+"-vars.json") // JSON is YAML, and these are no secrets
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	for _, words := range [][]string{
		{"set-pipeline", "--non-interactive", "--config", filepath.Join(f.tree, "pipelines", "bogops.yml"), "--load-vars-from", file},
		{"unpause-pipeline"},
		{"expose-pipeline"},
	} {
		words = append(words, "--team", m.team.ID, "--pipeline", pipeline)
		if out, err := f.server.Fly(ctx, words...); err != nil {
			return fmt.Errorf("fly %s for %s: %w: %s", words[0], m.team.ID, err, lastLine(out))
		}
	}
	return nil
}

// inside makes services of this machine reachable from tasks.
func (f *forge) inside(ctx context.Context, addresses ...*string) error {
	for _, a := range addresses {
		there, err := f.server.Inside(ctx, *a)
		if err != nil {
			return err
		}
		*a = there
	}
	return nil
}

// push sends the team's commits to its repository.
func (f *forge) push(ctx context.Context, m *member) error {
	login := base64.StdEncoding.EncodeToString([]byte(git.User + ":" + m.workshop.password))
	return push(ctx, f.tree, "http://"+f.repos.Address()+f.repos.Path(m.team.ID), "Basic "+login, f.log)
}

// vars fill in the pipeline: addresses, as tasks reach them.
func (f *forge) vars(ctx context.Context, m *member, roots []byte) (map[string]any, error) {
	source, packages, nonces, images := f.repos.Address(), strings.TrimPrefix(f.packages.Endpoint, "http://"), f.siteAt, f.images.Address()
	tls, plain, machines := m.tls.address, m.http.address, m.platform.at
	if err := f.inside(ctx, &source, &packages, &nonces, &images, &tls, &plain, &machines); err != nil {
		return nil, err
	}
	_, plainPort, err := net.SplitHostPort(plain)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"builder":  map[string]any{"repository": images + "/" + builder, "tag": "1", "insecure": true},
		"go_proxy": "off", // the image holds every module
		"source":   map[string]any{"uri": "http://" + source + f.repos.Path(m.team.ID), "branch": "main", "user": git.User},
		"s3":       map[string]any{"bucket": m.team.ID, "region": "us-east-1", "endpoint": "http://" + packages, "path_style": true},
		"nonce":    map[string]any{"uri": "http://" + nonces + f.nonces.Path(m.team.ID)},
		"platform": map[string]any{"kind": "local", "url": m.team.URL, "http_port": plainPort, "resolve": m.host + "=" + tls, "roots": string(roots)},
		"fleet":    map[string]any{"url": "http://" + machines},
	}, nil
}

// secrets are what the pipeline's configuration does not hold: Concourse looks
// them up when a build runs, and keeps them out of its log.
func (f *forge) secrets(m *member) map[string]string {
	return map[string]string{
		"source_password": m.workshop.password,
		"s3_access_key":   f.packages.AccessKey, "s3_secret_key": f.packages.SecretKey,
		"fleet_token": m.platform.Token, "judge_token": string(m.team.Token),
	}
}
