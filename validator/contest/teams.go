package contest

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

func teamShape(t *Team) shape {
	return object{
		{"id", "Short name in journals and addresses; also the platform's team.", true, slug(&t.ID)},
		{"name", "Full name.", true, text(&t.Full)},
		{"short", "Name on the wall; left out: the id with a capital.", false, text(&t.Name)},
		{"colour", "Colour on the wall.", false, oneOf(&t.Colour, "blue", "orange", "green", "purple", "grey")},
		{"shape", "Mark on the wall, for those who see no colours.", false, oneOf(&t.Shape, "circle", "diamond", "triangle", "square")},
		{"mascot", "Picture on the wall.", false, oneOf(&t.Mascot, "otter", "panda", "lighthouse")},
		{"witness", "Judged, loaded and broken like the teams, and not ranked.", false, flag(&t.Witness)},
		{"url", "Where the platform is.", true, secureURL(&t.URL)},
		{"token", "Bearer token with the role judge: env:NAME or file:PATH.", true, secret(&t.Token)},
		{"reader_token", "Bearer token with the role reader.", false, secret(&t.ReaderToken)},
		{"resolve", "Name to address:port, in rehearsals only.", false, resolve(&t.Resolve)},
		{"http_port", "Port of plain HTTP; 80 where left out.", false, whole(&t.HTTPPort, 1, 65535)},
		{"ceph", "How to reach its Ceph.", false, access(func() shape { t.Ceph = &Ceph{}; return cephShape(t.Ceph) })},
		{"concourse", "How to reach its Concourse.", false, access(func() shape { t.Concourse = &Concourse{}; return concourseShape(t.Concourse) })},
		{"aws", "How to reach its AWS account.", false, access(func() shape { t.AWS = &AWS{}; return awsShape(t.AWS) })},
	}
}

// access is an object that is made only where the file has it.
type access func() shape

func (a access) read(r *reader, path string, node ast.Node) { a().read(r, path, node) }
func (a access) schema() map[string]any                     { return a().schema() }

func cephShape(c *Ceph) shape {
	return object{
		{"mode", "rados, rgw or exec.", true, oneOf(&c.Mode, "rados", "rgw", "exec")},
		{"monitors", "rados: addresses of the monitors.", false, texts(&c.Monitors)},
		{"user", "rados: name of the read-only user.", false, text(&c.User)},
		{"key", "rados: its key.", false, secret(&c.Key)},
		{"pool", "Pool of the objects.", false, text(&c.Pool)},
		{"namespace", "Namespace in the pool.", false, text(&c.Namespace)},
		{"endpoint", "rgw: URL of the gateway.", false, secureURL(&c.Endpoint)},
		{"bucket", "rgw: bucket of the objects.", false, text(&c.Bucket)},
		{"access_key", "rgw: S3 access key.", false, secret(&c.AccessKey)},
		{"secret_key", "rgw: S3 secret key.", false, secret(&c.SecretKey)},
		{"command", "exec: program and arguments; it is called with POOL NAMESPACE NAME OFFSET LENGTH.", false, texts(&c.Command)},
		{"status", "rgw, exec: program and arguments that run ceph; it is called with the words of a command that changes nothing.", false, texts(&c.Status)},
		{"metrics", "URL of the mgr's metrics, for health.", false, pageURL(&c.Metrics)},
		{"sentinel", "How one agreed object is removed inside Ceph.", false, object{
			{"command", "Program and arguments with the organiser's own key; it is called with POOL NAMESPACE NAME.", true, texts(&c.Sentinel.Command)},
			{"key", "Key of the agreed object; left out: a fresh one each time.", false, text(&c.Sentinel.Key)},
		}},
		{"stop_osd", "Program and arguments that stop and start one OSD; it is called with stop or start.", false, texts(&c.StopOSD)},
	}
}

func concourseShape(c *Concourse) shape {
	return object{
		{"url", "Where Concourse is.", true, secureURL(&c.URL)},
		{"team", "Team in Concourse.", true, text(&c.Team)},
		{"pipeline", "Pipeline; the norm is bogops.", true, text(&c.Pipeline)},
		{"user", "Login with the role pipeline-operator.", false, text(&c.User)},
		{"password", "Its password.", false, secret(&c.Password)},
		{"token", "Its token, in place of user and password.", false, secret(&c.Token)},
	}
}

func awsShape(a *AWS) shape {
	return object{
		{"role", "Role that the judge assumes.", true, matching(&a.Role, `^arn:aws[a-z-]*:iam::\d{12}:role/.+$`, "a role such as arn:aws:iam::111122223333:role/bogops-judge")},
		{"external_id", "External id of the role.", true, secret(&a.ExternalID)},
		{"region", "Region of the platform.", true, matching(&a.Region, `^[a-z]{2}(-[a-z]+)+-\d$`, "a region such as eu-west-3")},
	}
}

func texts(into *[]string) shape {
	return list{min: 1, next: func() shape {
		*into = append(*into, "")
		return text(&(*into)[len(*into)-1])
	}}
}

// listedBricks puts out of play the bricks that the file does not list.
type listedBricks struct {
	object
	contest *Contest
}

func (l listedBricks) read(r *reader, path string, node ast.Node) {
	l.object.read(r, path, node)
	for i := range l.contest.Bricks {
		if _, listed := r.places[join(path, l.contest.Bricks[i].ID)]; !listed {
			l.contest.Bricks[i].InPlay = false
		}
	}
}

// looks are given to teams in turn; the witness has its own.
var looks = []struct{ colour, shape, mascot string }{
	{"blue", "circle", "otter"}, {"orange", "diamond", "panda"}, {"green", "triangle", "otter"}, {"purple", "square", "panda"},
}

// settle fills in what depends on the rest of the file.
func (c *Contest) settle() {
	if c.Trust.RehearsalRoot == "" {
		c.Trust.Roots = "mozilla"
	}
	if c.Freeze.IsZero() {
		c.Freeze = c.End
	}
	players := 0
	for i := range c.Teams {
		t := &c.Teams[i]
		look := looks[players%len(looks)]
		if t.Witness {
			look.colour, look.shape, look.mascot = "grey", "square", "lighthouse"
		} else {
			players++
		}
		fill(&t.Name, capital(t.ID))
		fill(&t.Colour, look.colour)
		fill(&t.Shape, look.shape)
		fill(&t.Mascot, look.mascot)
	}
}

func fill(into *string, value string) {
	if *into == "" {
		*into = value
	}
}

func capital(id string) string {
	first, n := utf8.DecodeRuneInString(id)
	return string(unicode.ToUpper(first)) + strings.ReplaceAll(id[n:], "-", " ")
}
