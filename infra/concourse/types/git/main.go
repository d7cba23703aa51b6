// Git is the resource type git: commits of a branch. Its interface is that part
// of https://github.com/concourse/git-resource which pipelines here use, so that
// they run unchanged with the official type. The work is done by the git command,
// over smart HTTP, dumb HTTP, or a path.
package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"bogops/infra/concourse/types/resource"
)

func main() { kind().Main() }

func kind() resource.Type[source, version, getParams, putParams] {
	return resource.Type[source, version, getParams, putParams]{Name: "git", Check: check, In: in, Out: out}
}

type source struct {
	URI           string   `json:"uri"`
	Branch        string   `json:"branch"` // the remote's own where it is empty
	Username      string   `json:"username"`
	Password      string   `json:"password"`
	Paths         []string `json:"paths"`           // only commits that change one of these
	IgnorePaths   []string `json:"ignore_paths"`    // and not only these
	DisableCISkip bool     `json:"disable_ci_skip"` // take commits that say [ci skip] too
}

type version struct {
	Ref string `json:"ref"`
}

func (s source) Secrets() []string {
	secrets := []string{s.Password, basic(s.Username, s.Password)}
	if at, err := url.Parse(s.URI); err == nil && at.User != nil {
		password, _ := at.User.Password()
		secrets = append(secrets, password)
	}
	return secrets
}

// basic is what HTTP sends in base64 (RFC 7617).
func basic(user, password string) string {
	if password == "" {
		return ""
	}
	return user + ":" + password
}

func (s source) Check() error {
	if s.URI == "" {
		return errors.New("source.uri is missing, wanted a URL like https://git.example.org/team.git")
	}
	if strings.HasPrefix(s.URI, "-") || strings.HasPrefix(s.URI, "ext::") {
		return fmt.Errorf("source.uri is %q, wanted a URL", s.URI)
	}
	if at, err := url.Parse(s.URI); err == nil && at.User != nil && at.Scheme != "ssh" {
		return errors.New("source.uri holds a user or a password, which belong into source.username and source.password")
	}
	if strings.HasPrefix(s.Branch, "-") {
		return fmt.Errorf("source.branch is %q, wanted the name of a branch", s.Branch)
	}
	if (s.Username == "") != (s.Password == "") {
		return errors.New("source has one of username and password, wanted both or none")
	}
	if strings.ContainsAny(s.Username+s.Password, "\r\n\x00") {
		return errors.New("source.username or source.password has a line break, wanted one line")
	}
	return nil
}
