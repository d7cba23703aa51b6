package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Config is every setting of the server. It is read once, checked once, and
// passed on as a value. Each flag has an environment name: BOGOPS_ and the
// flag in capitals with underscores.
type Config struct {
	Listen      string `default:"127.0.0.1:8443" help:"Address of the API: HTTPS with certificates, plain HTTP without. Port 0 takes a free one."`
	HTTPListen  string `name:"http-listen" help:"Address of the plain port: ACME challenges, else a redirect to HTTPS. Empty: none."`
	AdminListen string `help:"Address of the port for operators: /metrics, /debug/pprof/, /healthz, /readyz. It asks for no token. Empty: none."`
	Store       string `default:"file:./data" help:"Where objects are kept: ceph:POOL or ceph:POOL/NAMESPACE, s3:BUCKET, file:DIR, or mem: for a store that dies with the process."`

	Ceph      CephConfig    `embed:"" prefix:"ceph-"`
	S3        S3Config      `embed:"" prefix:"s3-"`
	Fallback  string        `help:"Where objects are kept while Ceph is not there, with --store ceph: s3:BUCKET. All instances name the same. Empty: nowhere."`
	Lease     time.Duration `default:"10s" help:"With --fallback: how long what an instance has read of the common state holds. The same for all instances."`
	NewPool   bool          `help:"With --fallback: the pool has never been written to, so the platform may begin in S3 before its Ceph has come."`
	TripAfter time.Duration `default:"10s" help:"With --fallback: how long Ceph is down before the instances agree to fall back."`
	BackAfter time.Duration `default:"10s" help:"With --fallback: how long Ceph is back before objects are brought home."`

	Certs          string   `default:"off" help:"Where the certificate comes from: off, files or acme."`
	CertFile       string   `help:"Certificate chain (PEM), with --certs files."`
	KeyFile        string   `help:"Private key (PEM), with --certs files."`
	Names          []string `help:"Host names to serve, separated by commas; the first is served where a client sends none."`
	ACMEDirectory  string   `name:"acme-directory" help:"URL of the ACME directory. Empty: Let's Encrypt, staging unless --acme-production."`
	ACMERoot       string   `name:"acme-root" help:"File with the roots (PEM) that the ACME directory's own certificate ends in. Empty: the system's."`
	ACMECache      string   `name:"acme-cache" help:"Existing directory that all instances share for certificates, sealed under the fleet key."`
	ACMELocal      string   `name:"acme-local" help:"Directory for this machine's own sealed copy of the certificates: with it an instance that restarts while the shared cache is down still serves. Empty: no copy."`
	ACMEEmail      string   `name:"acme-email" help:"Where the authority may write to."`
	ACMEProduction bool     `name:"acme-production" help:"Order from the authority's production, whose limits are strict."`
	FleetKeyFile   string   `help:"File with the key that seals the shared cache, with --certs acme."`

	Team       string `help:"Team that the platform describes itself as."`
	Contest    string `help:"Id of the contest whose judge may load this platform. Empty: none may."`
	Instance   string `help:"Name of this instance, unique among the running ones. Empty: drawn at random."`
	Zone       string `default:"local" help:"Zone that the instance runs in."`
	AppVersion string `default:"${revision}" help:"Version that the platform describes itself as."`
	DeployedAt string `help:"When this version was deployed (RFC 3339). Empty: when the process started."`

	AuditRate  float64 `default:"2" help:"How many acknowledged objects are read again a second, to find losses. 0: none."`
	StoreAlone bool    `help:"No other instance uses the store: what is missing is then lost, where it otherwise may have been deleted elsewhere."`

	JudgeTokenFile  string `help:"File with the judge's tokens, one a line, read again when it changes and on SIGHUP. BOGOPS_JUDGE_TOKEN may hold the token itself."`
	WriterTokenFile string `help:"File with the writer's tokens, as for the judge. BOGOPS_WRITER_TOKEN may hold the token itself."`
	ReaderTokenFile string `help:"File with the reader's tokens, as for the judge. BOGOPS_READER_TOKEN may hold the token itself."`

	MaxObject      Size          `default:"1GiB" help:"Largest body of a PUT."`
	MaxProcess     Size          `default:"64MiB" help:"Largest input of a processing step."`
	MaxConnections int           `default:"16384" help:"Open connections; more are closed at once. Three quarters of the files that the system lets the process open are the most."`
	MaxInFlight    int           `default:"1024" help:"Object requests served or waiting at once; more are refused."`
	BodyBudget     Size          `default:"96MiB" help:"Memory for bodies in flight and inputs that steps hold, over all requests."`
	HSTS           time.Duration `name:"hsts" default:"8760h" help:"How long browsers keep to TLS for this host, told in answers over TLS. 0s: they are not told."`
	Handicap       time.Duration `default:"0s" help:"Wait this long before each object request, for rehearsals and exercises."`
	Drain          time.Duration `default:"10s" help:"How long requests in flight may take to finish after SIGTERM."`
	DrainDelay     time.Duration `default:"0s" help:"How long to go on accepting after SIGTERM, not ready, so that balancers notice."`

	Version kong.VersionFlag `help:"Print which build this is, and whether it can store in Ceph."`

	Secrets Secrets `kong:"-"`
}

// Secrets are read from files or the environment, never from the command
// line, which every user of the machine can see. They print as nothing.
type Secrets struct {
	Judge, Writer, Reader []string // several while a role's token is rotated
	FleetKey              []byte
	CephKey               string
}

// Format keeps the secrets out of every text, %+v of a whole Config included.
func (Secrets) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "(secrets)") }

// usageError is a mistake of whoever started the program: exit 64.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errHelp says that help or the version was asked for and printed.
var errHelp = errors.New("help was printed")

// parseConfig reads flags and environment and checks the whole. Help goes to
// stdout and comes back as errHelp; any mistake is one sentence, a usageError.
func parseConfig(args []string, getenv func(string) string, stdout io.Writer) (Config, error) {
	var cfg Config
	helped := false
	parser, err := kong.New(&cfg,
		kong.Name("app"),
		kong.Description("The reference platform: keeps objects and serves them over HTTP."),
		kong.Vars{"revision": version, "version": build()},
		kong.Writers(stdout, stdout),
		kong.Exit(func(int) { helped = true }),
		kong.ValueFormatter(func(v *kong.Value) string {
			if v.Flag == nil || asks(v.Name) {
				return v.OrigHelp
			}
			return v.Help + " $" + environmentName(v.Name)
		}),
		kong.Resolvers(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
			if value := getenv(environmentName(flag.Name)); value != "" && !asks(flag.Name) {
				return value, nil
			}
			return nil, nil
		})),
	)
	if err != nil {
		return Config{}, err
	}
	_, err = parser.Parse(args)
	switch {
	case helped:
		return Config{}, errHelp
	case err != nil:
		return Config{}, usageError{err}
	}
	if cfg.Instance == "" {
		cfg.Instance = randomName()
	}
	if err := cfg.check(); err != nil {
		return Config{}, err
	}
	return cfg, cfg.readSecrets(getenv)
}

// asks reports whether a flag is a question, which the environment cannot ask.
func asks(flag string) bool { return flag == "help" || flag == "version" }

func environmentName(flag string) string {
	return "BOGOPS_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func randomName() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	return "i-" + hex.EncodeToString(b[:])
}

// check refuses settings that cannot work, before anything is opened.
func (c *Config) check() error {
	if err := checkAddress("listen", c.Listen); err != nil {
		return err
	}
	if c.HTTPListen != "" {
		if err := checkAddress("http-listen", c.HTTPListen); err != nil {
			return err
		}
	}
	if c.AdminListen != "" {
		if err := checkAddress("admin-listen", c.AdminListen); err != nil {
			return err
		}
	}
	if err := c.checkStore(); err != nil {
		return err
	}
	switch c.Certs {
	case "off":
	case "files":
		if c.CertFile == "" || c.KeyFile == "" {
			return usagef("--certs files wants --cert-file and --key-file")
		}
	case "acme":
		if len(c.Names) == 0 || c.ACMECache == "" || c.FleetKeyFile == "" {
			return usagef("--certs acme wants --names, --acme-cache and --fleet-key-file")
		}
	default:
		return usagef("--certs: %q given; want off, files or acme", c.Certs)
	}
	for flag, value := range map[string]int{"max-connections": c.MaxConnections, "max-in-flight": c.MaxInFlight} {
		if value < 1 {
			return usagef("--%s: %d given; want at least 1", flag, value)
		}
	}
	// A sixth of the budget is kept for small bodies, so that much is needed
	// for one input at the limit.
	if c.BodyBudget < 8<<20 || c.BodyBudget/5*4 < c.MaxProcess {
		return usagef("--body-budget: %d bytes given; want at least 8MiB, and a fourth more than --max-process (%d bytes)", c.BodyBudget, c.MaxProcess)
	}
	if c.AuditRate < 0 || c.AuditRate > 1000 {
		return usagef("--audit-rate: %g given; want 0 to 1000 objects a second", c.AuditRate)
	}
	for flag, value := range map[string]time.Duration{"hsts": c.HSTS, "handicap": c.Handicap, "drain": c.Drain, "drain-delay": c.DrainDelay} {
		if value < 0 {
			return usagef("--%s: %s given; want no less than 0s", flag, value)
		}
	}
	for flag, value := range map[string]string{"instance": c.Instance, "app-version": c.AppVersion} {
		if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return usagef("--%s: %q given; want visible ASCII without spaces: it is sent in a header", flag, value)
		}
	}
	if c.DeployedAt != "" {
		if _, err := time.Parse(time.RFC3339, c.DeployedAt); err != nil {
			return usagef("--deployed-at: %q given; want a time such as 2025-06-01T09:00:00Z", c.DeployedAt)
		}
	}
	return nil
}

func checkAddress(flag, address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return usagef("--%s: %q given; want HOST:PORT, such as 127.0.0.1:8443", flag, address)
	}
	return nil
}

// readSecrets takes the tokens and the keys from files or from the environment.
func (c *Config) readSecrets(getenv func(string) string) error {
	var err error
	if c.Secrets, err = c.readTokens(getenv); err != nil {
		return err
	}
	c.Secrets.CephKey = strings.TrimSpace(getenv("BOGOPS_CEPH_KEY"))
	if c.FleetKeyFile != "" {
		text, err := os.ReadFile(c.FleetKeyFile)
		if err != nil {
			return usagef("--fleet-key-file: %w; want a file that holds the key", err)
		}
		key, err := hex.DecodeString(strings.TrimSpace(string(text)))
		if err != nil || len(key) != 32 {
			// The decoder's error would quote a part of the key.
			return usagef("--fleet-key-file: %s does not hold 64 hex digits (32 bytes)", c.FleetKeyFile)
		}
		c.Secrets.FleetKey = key
	}
	return nil
}
