package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// startApp starts the app on a filestore in dir. Its log goes to a file, as in
// operation.
func (b *bench) startApp(ctx context.Context, dir string, tls bool, more ...string) (*server, error) {
	return b.startAppOn(ctx, "file:"+dir, tls, more...)
}

// startAppOn starts the app on any store.
func (b *bench) startAppOn(ctx context.Context, store string, tls bool, more ...string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	arguments := append([]string{"--listen", address, "--admin-listen", admin, "--store", store, "--drain", "1s"}, more...)
	if tls {
		arguments = append(arguments, "--certs", "files",
			"--cert-file", filepath.Join(b.certs, "cert.pem"), "--key-file", filepath.Join(b.certs, "key.pem"))
	}
	s, err := b.start(ctx, "app", address, []string{"BOGOPS_JUDGE_TOKEN=" + token}, b.App, arguments...)
	if err == nil {
		s.tls, s.admin, s.token = tls, admin, token
	}
	return s, err
}

// startBare starts the shortest file server that one would write with net/http.
func (b *bench) startBare(ctx context.Context, name, dir string, tls, sync bool) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	arguments := []string{"--serve", dir, "--disk", address}
	if tls {
		arguments = append(arguments, "--tls", b.certs)
	}
	if sync {
		arguments = append(arguments, "--sync")
	}
	s, err := b.start(ctx, name, address, nil, b.self, arguments...)
	if err == nil {
		s.tls = tls
	}
	return s, err
}

// nginxConfig is nginx as an operator would set it up for such files: two
// workers, sendfile, an access log to a file as the app has one, no cache of
// open files: what is replaced must be seen at once.
const nginxConfig = `
daemon off;
master_process on;
worker_processes 2;
user %[1]s;
pid %[2]s/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log %[2]s/access.log;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  client_max_body_size 0;
  client_body_temp_path %[2]s/body;
  proxy_temp_path %[2]s/proxy;
  fastcgi_temp_path %[2]s/fastcgi;
  uwsgi_temp_path %[2]s/uwsgi;
  scgi_temp_path %[2]s/scgi;
  default_type application/octet-stream;
  ssl_certificate %[3]s/cert.pem;
  ssl_certificate_key %[3]s/key.pem;
  ssl_protocols TLSv1.2 TLSv1.3;
  server {
    listen %[4]s;
    root %[5]s;
    location / {
      dav_methods PUT DELETE;
      create_full_put_path on;
    }
  }
}
`

func (b *bench) startNginx(ctx context.Context, dir string, tls bool) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	home, err := b.directory("nginx")
	if err != nil {
		return nil, err
	}
	user, listen := "nobody nogroup", address
	if os.Getuid() == 0 {
		user = "root" // nobody may not pass through every home directory
	}
	if tls {
		listen += " ssl"
	}
	config := filepath.Join(home, "nginx.conf")
	text := fmt.Sprintf(nginxConfig, user, home, b.certs, listen, dir)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	s, err := b.start(ctx, "nginx", address, nil, "nginx", "-e", "stderr", "-p", home, "-c", config)
	if err == nil {
		s.tls = tls
	}
	return s, err
}

// openBucket lets anyone read and write the bucket, so that the load tool need
// not sign: that spares the others the check of a signature for each request.
const openBucket = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",` +
	`"Action":["s3:PutObject","s3:GetObject"],"Resource":"arn:aws:s3:::bench/*"}]}`

// startVersitygw starts versitygw with its posix store, without its request
// log, and with connections kept open (by default it closes them).
func (b *bench) startVersitygw(ctx context.Context, dir string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	const access, secret = "bench", "bench-secret"
	s, err := b.start(ctx, "versitygw", address, []string{"ROOT_ACCESS_KEY=" + access, "ROOT_SECRET_KEY=" + secret},
		b.Versitygw, "--quiet", "--keep-alive", "--port", address, "posix", dir)
	if err != nil {
		return nil, err
	}
	if err := b.makeBucket(ctx, s, access, secret); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// makeBucket makes the bucket "bench" and opens it.
func (b *bench) makeBucket(ctx context.Context, s *server, access, secret string) error {
	policy := filepath.Join(b.Out, "bucket-policy.json")
	if err := os.WriteFile(policy, []byte(openBucket), 0o644); err != nil {
		return err
	}
	for _, call := range [][2]string{{"bench", "/dev/null"}, {"bench?policy=", policy}} {
		sum, err := sha256Of(call[1])
		if err != nil {
			return err
		}
		out, err := exec.CommandContext(ctx, "curl", "--fail-with-body", "-sS", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u", access+":"+secret,
			"-H", "x-amz-content-sha256: "+sum, "-X", "PUT", "--data-binary", "@"+call[1], s.url()+"/"+call[0]).CombinedOutput()
		if err != nil {
			return fmt.Errorf("PUT %s: %w: %s", call[0], err, out)
		}
	}
	return nil
}
