package main

import "net/http"

// closeAfterChunked ends the connection of HTTP/1 after each request whose body
// was chunked. Where such a request has a Content-Length as well, a proxy in
// front may have believed that one, and take for body what is the next request
// to us: RFC 9112, section 6.1, has a server close then. net/http drops the
// length before anybody sees that there was one, and keeps the connection, so
// the rule is kept for all chunked bodies. Clients that know the length of
// what they send, which is nearly all, pay nothing.
func closeAfterChunked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
