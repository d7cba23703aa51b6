"""An honest platform of level bronze in nothing but Python's standard library.

It keeps one synced file for each object, speaks plain HTTP, and exists to show
that the contract can be met from CHALLENGE.md alone. The tokens come from
BRONZE_TOKEN and BRONZE_READER, the contest from BRONZE_CONTEST. The first line
that it prints is its port.
"""
import argparse, base64, email.utils, hashlib, hmac, http.server, json, os, re, sys, threading, time, urllib.parse, uuid

OBJECT_BYTES, PROCESS_BYTES = 256 << 20, 64 << 20
STARTED = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
TITLES = http.server.BaseHTTPRequestHandler.responses


class Refused(Exception):
    def __init__(self, status, detail, **headers):
        super().__init__(detail)
        self.status, self.headers = status, {k.replace("_", "-"): v for k, v in headers.items()}


class Bronze(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    lock, directory = threading.Lock(), None
    instance = "i-" + uuid.uuid4().hex[:6]

    # From here to serve: HTTP.
    def handle_expect_100(self):
        if int(self.headers.get("Content-Length", 0)) > OBJECT_BYTES:
            return True  # serve refuses it, and the body is never asked for
        return super().handle_expect_100()

    def handle_any(self):
        self.request_id, self.extra = uuid.uuid4().hex, {}
        try:
            self.serve()
        except Refused as refused:
            self.refuse(refused)

    do_GET = do_HEAD = do_PUT = do_DELETE = do_POST = do_PATCH = do_OPTIONS = handle_any

    def refuse(self, refused):
        self.extra.update(refused.headers)
        problem = {"type": "about:blank", "title": TITLES[refused.status][0], "status": refused.status,
                   "detail": str(refused), "instance": self.request_id}
        self.answer(refused.status, json.dumps(problem).encode(), "application/problem+json")

    def answer(self, status, body=b"", media="text/plain"):
        self.send_response(status)
        for name, value in {"Request-Id": self.request_id, **self.extra}.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self):
        """Returns the whole body or None, and leaves the connection ready for the next request."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return self.chunks()
        length = int(self.headers.get("Content-Length", 0))
        if length > OBJECT_BYTES:
            self.close_connection = True
            return None
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionError("the body broke off")
        return body

    def chunks(self):
        body = b""
        while length := int(self.rfile.readline().split(b";")[0] or b"!", 16):
            body += self.rfile.read(length)
            self.rfile.readline()
            if len(body) > OBJECT_BYTES:
                self.close_connection = True
                return None
        while self.rfile.readline().strip():
            pass
        return body

    def log_message(self, *args):
        pass

    # From here on: the contract.
    def serve(self):
        path, _, query = self.path.partition("?")
        body = self.body()
        if path in ("/healthz", "/readyz"):
            return self.answer(200)
        if path == "/.well-known/bogops.json":
            return self.answer(200, json.dumps(self.describe()).encode(), "application/json")
        self.extra = {"Bogops-Instance": self.instance, "Bogops-Version": "1"}
        self.authorize(path)
        self.route(path, query, body)

    def route(self, path, query, body):
        if not path.startswith("/v1/objects/"):
            raise Refused(404, "no such route")
        if self.command not in ("GET", "HEAD", "PUT", "DELETE"):
            raise Refused(405, "want GET, HEAD, PUT or DELETE", Allow="DELETE, GET, HEAD, PUT")
        key = self.key(path[len("/v1/objects/"):])
        chain = urllib.parse.parse_qs(query, keep_blank_values=True).get("process")
        steps = [self.step(word) for word in self.words(chain)] if chain is not None else None
        if self.command == "PUT":
            return self.put(key, body)
        if self.command == "DELETE":
            return self.delete(key)
        return self.get(key, steps)

    def authorize(self, path):
        if not path.startswith("/v1/"):
            return
        token = self.headers.get("Authorization", "")
        if token == "Bearer " + os.environ["BRONZE_READER"]:
            if self.command in ("PUT", "DELETE"):
                raise Refused(403, "the reader may not write")
        elif token != "Bearer " + os.environ["BRONZE_TOKEN"]:
            raise Refused(401, "want a bearer token", WWW_Authenticate="Bearer")

    def key(self, escaped):
        if re.search("%(?![0-9A-Fa-f]{2})", escaped):
            raise Refused(400, "bad escape in the key")
        raw = urllib.parse.unquote_to_bytes(escaped)
        try:
            key = raw.decode()
        except UnicodeDecodeError:
            raise Refused(400, "want a key in UTF-8")
        if not 1 <= len(raw) <= 1024 or re.search("[\x00-\x1f\x7f-\x9f]", key) or {".", ".."} & set(key.split("/")):
            raise Refused(400, "want a key of 1 to 1,024 bytes without control characters and dot segments")
        return key

    def words(self, chain):
        words = chain[0].split(",")
        if self.command == "HEAD" or len(chain) > 1 or len(words) > 8:
            raise Refused(400, "want one chain of 1 to 8 steps, on GET")
        return words

    def step(self, word):
        name, *args = word.split(":")
        number = "(0|[1-9][0-9]{0,18})"
        if not args and name in ("sha256", "sha512"):
            return lambda b: hashlib.new(name, b).hexdigest().encode()
        if not args and name in ("reverse", "upper", "base64"):
            return {"reverse": lambda b: b[::-1], "upper": bytes.upper, "base64": base64.b64encode}[name]
        if name == "hmac" and len(args) == 1 and re.fullmatch("[A-Za-z0-9_-]{1,64}", args[0]):
            return lambda b: hmac.new(args[0].encode(), b, "sha256").hexdigest().encode()
        if name == "slice" and re.fullmatch(number + ":" + number, ":".join(args)) and max(map(int, args)) < 1 << 63:
            return lambda b: b[int(args[0]):int(args[0]) + int(args[1])]
        raise Refused(400, "bad step")

    def put(self, key, body):
        if body is None:
            raise Refused(413, "want at most 256 MiB", Connection="close")
        media, etag, now = self.headers.get("Content-Type", "application/octet-stream"), f'"{uuid.uuid4().hex}"', time.time()
        replaced = self.store(key, media, etag, now, body)
        self.extra.update({"ETag": etag, "Location": "/v1/objects/" + urllib.parse.quote(key)})
        self.answer(200 if replaced else 201, json.dumps(self.described(key, len(body), etag, media, now)).encode(), "application/json")

    def described(self, key, size, etag, media, modified):
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(modified))
        return {"key": key, "size": size, "etag": etag, "content_type": media, "modified": at}

    def store(self, key, media, etag, now, body):
        """Returns whether it replaced an object, once the new one survives a loss of power."""
        path, temporary = self.path_of(key), os.path.join(self.directory, uuid.uuid4().hex + ".new")
        with open(temporary, "xb") as file:
            file.write(json.dumps([media, etag, now]).encode() + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        with self.lock:
            replaced = os.path.exists(path)
            os.replace(temporary, path)
            self.sync()
        return replaced

    def load(self, key):
        try:
            with open(self.path_of(key), "rb") as file:
                return (*json.loads(file.readline()), file.read())
        except FileNotFoundError:
            raise Refused(404, "no such object")

    def delete(self, key):
        try:
            os.remove(self.path_of(key))
            self.sync()
        except FileNotFoundError:
            pass
        self.answer(204)

    def path_of(self, key):
        return os.path.join(self.directory, hashlib.sha256(key.encode()).hexdigest())

    def sync(self):
        directory = os.open(self.directory, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)

    def get(self, key, steps):
        media, etag, modified, body = self.load(key)
        if steps is not None:
            return self.processed(body, steps)
        self.extra.update({"ETag": etag, "Last-Modified": email.utils.formatdate(modified, usegmt=True)})
        self.whole(media, body)

    def whole(self, media, body):
        self.answer(200, body, media)

    def processed(self, body, steps, media="application/octet-stream"):
        for step in steps:
            if len(body) > PROCESS_BYTES:
                raise Refused(422, "too large to process")
            body = step(body)
        self.extra["Cache-Control"] = "no-store"
        self.answer(200, body, media)

    def describe(self):
        return {"team": "bronze", "contest": os.environ.get("BRONZE_CONTEST", "none"), "contract": "1", "level": "bronze",
                "version": "1", "deployed_at": STARTED, "instance": self.instance, "started_at": STARTED, "zone": "local",
                "store": "filesystem", "store_state": "primary",
                "limits": {"object_bytes": OBJECT_BYTES, "process_bytes": PROCESS_BYTES}}


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, ValueError)):
            super().handle_error(request, client_address)


def main(handler=Bronze, parser=argparse.ArgumentParser(description=__doc__)):
    parser.add_argument("--port", type=int, default=0, help="0, the default, is any free port")
    parser.add_argument("--dir", required=True, help="an existing directory for the objects")
    options = parser.parse_args()
    handler.directory = options.dir
    server = Server(("127.0.0.1", options.port), handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
