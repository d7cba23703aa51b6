package probe

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

func head(ctx context.Context, s *Session) (string, error) {
	key, body := s.Key(s.Word(12)), s.Bytes(1234)
	if err := s.Store(ctx, key, body); err != nil {
		return "", err
	}
	get, err := s.Get(ctx, key)
	if err != nil {
		return "", err
	}
	reply, err := s.Do(ctx, target.Request{Method: http.MethodHead, Path: objects(key), Fresh: true})
	if err != nil {
		return "", err
	}
	if err := wantStatus(reply, "HEAD of an object", 200); err != nil {
		return "", err
	}
	for _, name := range []string{"Content-Length", "Content-Type", "ETag", "Last-Modified"} {
		if got, want := reply.Header.Get(name), get.Header.Get(name); got != want {
			return "", verdict.Wrong(name+" of HEAD", quoted(got), "that of GET, "+quoted(want))
		}
	}
	if err := s.bodiless(ctx, key); err != nil {
		return "", err
	}
	reply, err = s.Do(ctx, target.Request{Method: http.MethodHead, Path: objects(key) + "?process=sha256", Fresh: true})
	if err != nil {
		return "", err
	}
	return "as GET, without the body", wantStatus(reply, "HEAD with process", 400)
}

// bodiless looks at the bytes of the connection: an HTTP client would drop the
// body of a HEAD unseen.
func (s *Session) bodiless(ctx context.Context, key string) error {
	request := fmt.Sprintf("HEAD %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nUser-Agent: %s\r\nConnection: close\r\n\r\n",
		objects(key), s.Target.URL.Host, s.Target.Token, s.userAgent())
	answer, err := s.client.Raw(ctx, http.MethodHead+" "+objects(key), []byte(request), 64<<10)
	if err != nil {
		return err
	}
	_, rest, whole := bytes.Cut(answer, []byte("\r\n\r\n"))
	if !whole {
		return verdict.Wrong("HEAD of an object", fmt.Sprintf("%d B without the end of a head", len(answer)), "a head")
	}
	if len(rest) > 0 {
		return verdict.Wrong("Body of HEAD", size(len(rest)), "no byte")
	}
	return nil
}
