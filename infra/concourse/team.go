package concourse

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// Team makes a team, or changes it, with one user who owns it and one who may
// read, trigger, rerun, check and abort, and no more (rbac.yml). The users are
// made where they are missing; one that is there gets the password given. An
// operator without a name leaves the team without one.
func (s *Server) Team(ctx context.Context, name string, owner, operator Login) error {
	var roles strings.Builder
	for _, one := range []struct {
		role  string
		login Login
	}{{"owner", owner}, {"pipeline-operator", operator}} {
		if one.login == (Login{}) && one.role != "owner" {
			continue
		}
		if err := s.user(ctx, one.login); err != nil {
			return err
		}
		fmt.Fprintf(&roles, "- name: %s\n  local: {users: [%q]}\n", one.role, one.login.User)
	}
	file := filepath.Join(s.dir, "run", "team-"+filepath.Base(name)+".yml")
	if err := os.WriteFile(file, []byte("roles:\n"+roles.String()), 0o600); err != nil {
		return err
	}
	_, err := s.Fly(ctx, "set-team", "--team-name", name, "--config", file, "--non-interactive")
	return err
}

// user makes a local user or changes the password of one.
func (s *Server) user(ctx context.Context, login Login) error {
	// Concourse refuses hashes cheaper than this one.
	hash, err := bcrypt.GenerateFromPassword([]byte(login.Password), bcrypt.DefaultCost)
	if err != nil {
		return fmt.Errorf("concourse: password of %s: %w", login.User, err)
	}
	_, err = s.run(ctx, string(hash)+"\n", "user", login.User)
	return err
}
