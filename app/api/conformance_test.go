package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// conformance holds answers against the document. It may be used concurrently.
type conformance struct {
	doc       *openapi3.T
	elsewhere map[string]map[string]string // beginning of a path → status → component

	mu   sync.Mutex
	seen map[string]bool // "PUT /v1/objects/{key} 201"
}

func newConformance(text []byte) (*conformance, error) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(text)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(loader.Context); err != nil {
		return nil, err
	}
	c := &conformance{doc: doc, seen: map[string]bool{}}
	return c, convert(doc.Extensions["x-elsewhere"], &c.elsewhere)
}

// anew is the same, with nothing seen.
func (c *conformance) anew() *conformance {
	return &conformance{doc: c.doc, elsewhere: c.elsewhere, seen: map[string]bool{}}
}

func convert(from, to any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

// exchange is a request and its answer as a handler gave it.
type exchange struct {
	request *http.Request
	status  int
	header  http.Header
	body    []byte
	cut     bool // the connection was cut, or the body is too long to keep
}

func (e exchange) String() string {
	return fmt.Sprintf("%s %s answered %d", e.request.Method, e.request.URL.RequestURI(), e.status)
}

// operation returns the documented operation that a request asks for, its
// path's template and the key in it; nil where none is documented.
func (c *conformance) operation(r *http.Request) (op *openapi3.Operation, template, key string) {
	path := r.URL.EscapedPath()
	for template, item := range c.doc.Paths.Map() {
		start, hasKey := strings.CutSuffix(template, "{key}")
		if path == template || hasKey && strings.HasPrefix(path, start) {
			key, _ := url.PathUnescape(path[len(start):])
			return item.GetOperation(r.Method), template, key
		}
	}
	return nil, "", ""
}

// response returns what the document says of an answer, and notes that it was
// seen; nil where it says nothing.
func (c *conformance) response(e exchange) (*openapi3.ResponseRef, *openapi3.Operation) {
	op, template, _ := c.operation(e.request)
	status := strconv.Itoa(e.status)
	if op == nil {
		begin := "/"
		if underV1(e.request) {
			begin = "/v1"
		}
		_, component, _ := strings.Cut(c.elsewhere[begin][status], "#/components/responses/")
		c.note(begin + " elsewhere " + status)
		return c.doc.Components.Responses[component], nil
	}
	c.note(e.request.Method + " " + template + " " + status)
	return op.Responses.Value(status), op
}

func (c *conformance) note(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[what] = true
}

// check returns everything in which an exchange differs from the document.
func (c *conformance) check(e exchange) []string {
	response, op := c.response(e)
	if response == nil {
		return []string{fmt.Sprintf("status %d is not documented", e.status)}
	}
	findings := c.checkAnswer(e, response.Value)
	findings = append(findings, checkHeaders(e, response.Value)...)
	if e.status >= 400 {
		findings = append(findings, checkProblem(e)...)
	}
	if op != nil {
		findings = append(findings, c.checkRole(e, op)...)
		if e.status < 300 {
			findings = append(findings, c.checkRequest(e, op)...)
		}
	}
	return findings
}

// checkAnswer lets the library compare. It would pass every answer to HEAD and
// every 304 unseen, so it is shown each answer as a 200 to GET, under which the
// document's answer stands alone.
func (c *conformance) checkAnswer(e exchange, response *openapi3.Response) []string {
	bodiless := e.request.Method == http.MethodHead || e.status == http.StatusNotModified || e.cut
	seen := e.request.Clone(e.request.Context())
	seen.Method = http.MethodGet
	alone := &openapi3.Operation{Responses: openapi3.NewResponses(openapi3.WithStatus(200, &openapi3.ResponseRef{Value: response}))}
	header := e.header
	if strings.HasPrefix(header.Get("Content-Type"), "multipart/byteranges") && header.Get("Content-Range") == "" {
		header = header.Clone()
		header.Set("Content-Range", "bytes 0-0/1") // stands in each part instead, which OpenAPI cannot say
	}
	err := openapi3filter.ValidateResponse(e.request.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: seen, Route: &routers.Route{Spec: c.doc, Operation: alone}},
		Status:                 200,
		Header:                 header,
		Body:                   io.NopCloser(bytes.NewReader(e.body)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true, ExcludeResponseBody: bodiless},
	})
	var findings []string
	if err != nil {
		why, _, _ := strings.Cut(err.Error(), "\nSchema:") // which is long, and in the document
		findings = append(findings, why)
	}
	mediaType := e.header.Get("Content-Type")
	switch {
	case len(response.Content) == 0 && len(e.body) > 0 && e.request.Method != http.MethodHead:
		findings = append(findings, "a body where none is documented")
	case len(response.Content) == 0 && mediaType != "":
		findings = append(findings, "Content-Type where no body is documented: "+mediaType)
	case len(response.Content) > 0 && response.Content.Get(mediaType) == nil:
		findings = append(findings, "Content-Type is not documented: "+mediaType)
	}
	return findings
}

// general are headers that any answer may carry: they belong to HTTP and not
// to one call.
var general = map[string]bool{
	"Content-Type": true, "Content-Length": true, "Cache-Control": true, "Connection": true, "Date": true,
	"X-Content-Type-Options": true, "Referrer-Policy": true, "Content-Security-Policy": true,
	"Cross-Origin-Resource-Policy": true, "Strict-Transport-Security": true,
}

// checkHeaders finds headers that are not documented, and applies what OpenAPI
// has no words for: names that end in an asterisk, and headers that a query
// asks for or forbids.
func checkHeaders(e exchange, response *openapi3.Response) []string {
	var findings []string
	known := map[string]bool{}
	for name, ref := range response.Headers {
		name = http.CanonicalHeaderKey(name)
		known[name] = true
		for rule, wrong := range map[string]func(there, asked bool) bool{
			"x-unless":     func(there, asked bool) bool { return !there && !asked },
			"x-with":       func(there, asked bool) bool { return !there && asked },
			"x-never-with": func(there, asked bool) bool { return there && asked },
		} {
			query, ok := ref.Value.Extensions[rule].(string)
			if ok && wrong(len(e.header[name]) > 0, e.request.URL.Query().Has(query)) {
				findings = append(findings, fmt.Sprintf("%s: %s %s does not hold", name, rule, query))
			}
		}
	}
	for name, values := range e.header {
		if general[name] || known[name] {
			continue
		}
		ref, ok := response.Headers[wildcard(name)]
		if !ok {
			findings = append(findings, "header is not documented: "+name)
			continue
		}
		for _, value := range values {
			if err := ref.Value.Schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020()); err != nil {
				findings = append(findings, name+": "+err.Error())
			}
		}
	}
	return findings
}

// wildcard is the documented name of a header that stands for many.
func wildcard(name string) string {
	if strings.HasPrefix(name, "Bogops-Meta-") {
		return "Bogops-Meta-*"
	}
	return name
}

// checkProblem compares a problem with the answer that it stands in.
func checkProblem(e exchange) []string {
	if e.cut || e.request.Method == http.MethodHead {
		return nil
	}
	var p struct {
		Status   int
		Instance string
	}
	if err := json.Unmarshal(e.body, &p); err != nil {
		return []string{err.Error()}
	}
	var findings []string
	if p.Status != e.status {
		findings = append(findings, fmt.Sprintf("the problem says status %d", p.Status))
	}
	if id := e.header.Get("Request-Id"); p.Instance != id {
		findings = append(findings, fmt.Sprintf("the problem's instance is %q, and Request-Id %q", p.Instance, id))
	}
	return findings
}

// checkRole holds the roles that an operation takes against who got through.
func (c *conformance) checkRole(e exchange, op *openapi3.Operation) []string {
	role, known := map[string]string{judgeToken: "judge", writerToken: "writer", readerToken: "reader"}[bearer(e.request)]
	wanted := &c.doc.Security
	if op.Security != nil {
		wanted = op.Security
	}
	allowed := len(*wanted) == 0
	for _, one := range *wanted {
		for _, roles := range one {
			allowed = allowed || known && strings.Contains(strings.Join(roles, " "), role)
		}
	}
	switch {
	case allowed && e.status == http.StatusForbidden:
		return []string{"the role " + role + " is documented, and refused"}
	case !allowed && e.status < 300:
		return []string{"the role " + role + " is not documented, and let in"}
	}
	return nil
}

// checkRequest: what the platform accepts the document must allow.
func (c *conformance) checkRequest(e exchange, op *openapi3.Operation) []string {
	_, template, key := c.operation(e.request)
	request := e.request.Clone(e.request.Context())
	request.Body = http.NoBody // the handler's, and read
	err := openapi3filter.ValidateRequest(e.request.Context(), &openapi3filter.RequestValidationInput{
		Request:    request,
		PathParams: map[string]string{"key": key},
		Route:      &routers.Route{Spec: c.doc, Path: template, PathItem: c.doc.Paths.Value(template), Method: e.request.Method, Operation: op},
		Options: &openapi3filter.Options{ExcludeRequestBody: true, MultiError: true, SkipSettingDefaults: true,
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
	if err != nil {
		return []string{"accepted, though the document forbids the request: " + err.Error()}
	}
	return nil
}
