package concoursefake

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"
)

// token is a login, until then.
type token struct {
	user string
	end  time.Time
}

// grant is the password grant of Concourse's own issuer (dex).
func (s *Server) grant(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.granted(r).write(w)
}

func (s *Server) granted(r *http.Request) answer {
	if id, secret, ok := r.BasicAuth(); !ok || id != "fly" || secret != "Zmx5" {
		return answer{http.StatusUnauthorized, tokenRefusal{"invalid_client", "Invalid client credentials."}}
	}
	if r.PostFormValue("grant_type") != "password" {
		return answer{http.StatusBadRequest, tokenRefusal{"unsupported_grant_type", ""}}
	}
	scopes := strings.Fields(r.PostFormValue("scope"))
	if len(scopes) == 0 || scopes[0] != "openid" {
		return answer{http.StatusBadRequest, tokenRefusal{"invalid_request", `Missing "openid" scope`}}
	}
	user := s.person(r.PostFormValue("username"))
	if user == nil || user.Password != r.PostFormValue("password") {
		return answer{http.StatusUnauthorized, tokenRefusal{"access_denied", "Invalid username or password"}}
	}
	text := rand.Text()
	s.tokens[text] = &token{user.Name, s.o.Now().Add(s.state.TokenLife)}
	return answer{http.StatusOK, tokenAnswer{text, "bearer", int(s.state.TokenLife.Seconds()), "not.a.real-one"}}
}

// bearer is whose token a request carries. A token that is not known, or is
// over, is nobody's.
func (s *Server) bearer(r *http.Request) *User {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	held := s.tokens[text]
	if !ok || held == nil || !s.o.Now().Before(held.end) {
		return nil
	}
	return s.person(held.user)
}

func (s *Server) person(name string) *User {
	for i := range s.state.Users {
		if s.state.Users[i].Name == name {
			return &s.state.Users[i]
		}
	}
	return nil
}

func (s *Server) user(a asked) answer {
	teams := map[string][]string{}
	if a.user.Role != "" {
		teams[s.state.Team] = []string{a.user.Role}
	}
	return answer{http.StatusOK, userAnswer{
		Sub: "mock-" + a.user.Name, Name: a.user.Name, UserID: a.user.Name, Email: a.user.Name,
		Teams: teams, Connector: "local", DisplayUserID: a.user.Name,
	}}
}

// Token is a login of user, as a token that somebody gave away.
func (s *Server) Token(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := rand.Text()
	s.tokens[text] = &token{user, s.o.Now().Add(s.state.TokenLife)}
	return text
}
