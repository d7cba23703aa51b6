// Command environments serves environments for branches (infra/environments), on
// this machine, until it is told to end.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"bogops/infra/environments"
)

type options struct {
	Dir    string   `required:"" type:"path" help:"Directory that holds the environments."`
	Listen string   `default:"127.0.0.1:8081" help:"Address of the API, in plain HTTP: for a network of one's own, or a proxy that adds TLS."`
	Name   string   `default:"localhost" help:"Host name that health checks ask instances for."`
	Size   int      `default:"1" help:"Instances of each environment."`
	Most   int      `default:"16" help:"How many environments there may be."`
	Token  string   `required:"" hidden:"" env:"ENVIRONMENTS_TOKEN"`
	Args   []string `arg:"" passthrough:"" help:"What the app is started with, after --. In it {name} is the environment's, {dir} where it may keep objects, {instance} and {version} those of the instance."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var o options
	kong.Parse(&o, kong.Name("environments"), kong.Description("Makes a platform for each branch, and removes it. The token is by ENVIRONMENTS_TOKEN."))
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "environments:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if len(o.Args) > 0 && o.Args[0] == "--" {
		o.Args = o.Args[1:]
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return err
	}
	service, err := environments.Open(ctx, environments.Options{
		Dir: o.Dir, Token: o.Token, ServerName: o.Name, Size: o.Size, Most: o.Most, Log: os.Stderr,
		Args: func(name, dir, instance, version string) []string {
			fill := strings.NewReplacer("{name}", name, "{dir}", dir, "{instance}", instance, "{version}", version)
			var args []string
			for _, arg := range o.Args {
				args = append(args, fill.Replace(arg))
			}
			return args
		},
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: service.Handler(), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	fmt.Printf("environments at http://%s\n", listener.Addr())
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = server.Close()
		<-ended
	}
	return errors.Join(err, service.Close())
}
