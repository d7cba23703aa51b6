"""bronze.py with exactly one fault: faulty.py FAULT --dir DIR [--port N].

Each class below is one fault, and breaks one promise of the contract.
"""
import argparse, hmac, json, re, sys, urllib.parse

from bronze import Bronze, Refused, main


class Boundary(Bronze):
    "Bodies that fill their last 64 KiB buffer lose its last byte."
    def store(self, key, media, etag, now, body):
        return super().store(key, media, etag, now, body[:-1] if len(body) % 65536 == 0 else body)


class Truncate(Bronze):
    "Of a large body only the first 1.5 MiB are kept."
    def store(self, key, media, etag, now, body):
        return super().store(key, media, etag, now, body[:3 << 19])


class FourthWrite(Bronze):
    "The fourth write of a key is acknowledged and dropped."
    seen = {}
    def store(self, key, media, etag, now, body):
        self.seen[key] = self.seen.get(key, 0) + 1
        return self.seen[key] == 4 or super().store(key, media, etag, now, body)


class Always201(Bronze):
    "A replaced object is answered as a new one."
    def store(self, *args):
        super().store(*args)
        return False


class ForgetContentType(Bronze):
    "The media type is not kept."
    def load(self, key):
        return ("application/octet-stream", *super().load(key)[1:])


class StaleETag(Bronze):
    "The ETag depends on the key alone."
    def answer(self, status, body=b"", media="text/plain"):
        if old := self.extra.get("ETag"):
            self.extra["ETag"] = '"%x"' % hash(self.path.partition("?")[0])
            body = body.replace(json.dumps(old).encode(), json.dumps(self.extra["ETag"]).encode())
        super().answer(status, body, media)


class DecodeTwice(Bronze):
    "Keys are percent-decoded twice."
    def key(self, escaped):
        return urllib.parse.unquote(super().key(escaped))


class DotSegments(Bronze):
    "Dot segments are taken as they are."
    def key(self, escaped):
        return super().key(re.sub(r"(?i)(?<![^/])(\.|%2e)+(?![^/])", "dots", escaped.replace("%2F", "/")))


class HeadOfMissing(Bronze):
    "HEAD says that everything exists."
    def load(self, key):
        try:
            return super().load(key)
        except Refused:
            if self.command != "HEAD":
                raise
            return "text/plain", '"none"', 0, b""


class HeadBody(Bronze):
    "HEAD sends the body too."
    def answer(self, status, body=b"", media="text/plain"):
        super().answer(status, body, media)
        if self.command == "HEAD":
            self.wfile.write(body)


class DeleteTwice(Bronze):
    "To delete nothing is an error."
    def delete(self, key):
        self.load(key)
        super().delete(key)


class FirstChunk(Bronze):
    "Of a chunked body only the first chunk is kept."
    def chunks(self):
        first = self.rfile.read(int(self.rfile.readline(), 16))
        if first:
            self.rfile.readline()
            super().chunks()
        else:
            self.rfile.readline()
        return first


class Torn(Bronze):
    "What arrived of a broken upload is stored."
    def body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "") or int(self.headers.get("Content-Length", 0)) > 1 << 28:
            return super().body()
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))


class WrongHMAC(Bronze):
    "Key and message of the HMAC are swapped."
    def step(self, word):
        step = super().step(word)
        if not word.startswith("hmac:"):
            return step
        return lambda b: hmac.new(b, word[5:].encode(), "sha256").hexdigest().encode()


class LeadingZeros(Bronze):
    "Numbers may begin with zeros."
    def step(self, word):
        return super().step(re.sub(":0+(?=[0-9])", ":", word) if word.startswith("slice:") else word)


class No401(Bronze):
    "Strangers are served like the judge."
    def authorize(self, path):
        try:
            super().authorize(path)
        except Refused as refused:
            if refused.status != 401:
                raise


class ReaderWrites(Bronze):
    "The reader may write."
    def authorize(self, path):
        try:
            super().authorize(path)
        except Refused as refused:
            if refused.status != 403:
                raise


class NoAllow(Bronze):
    "A 405 does not say what is allowed."
    def refuse(self, refused):
        refused.headers.pop("Allow", None)
        super().refuse(refused)


class NoLimit(Bronze):
    "A body over the limit is asked for and waited for."
    def handle_expect_100(self):
        self.send_response_only(100)
        self.end_headers()
        return True

    def body(self):
        if int(self.headers.get("Content-Length", 0)) > 1 << 28:
            self.rfile.read(1)
            raise ConnectionError("no body came")
        return super().body()


class ProblemText(Bronze):
    "Errors are plain text."
    def refuse(self, refused):
        self.extra.update(refused.headers)
        self.answer(refused.status, str(refused).encode())


class OneRequestID(Bronze):
    "Every request has the same id."
    request_id = property(lambda self: "1", lambda self, value: None)


class NoConsent(Bronze):
    "The platform consents to another contest."
    def describe(self):
        return {**super().describe(), "contest": "another"}


class NotReady(Bronze):
    "The platform never says that it is ready."
    def answer(self, status, body=b"", media="text/plain"):
        super().answer(503 if self.path == "/readyz" else status, body, media)


if __name__ == "__main__":
    faults = {fault.__name__: fault for fault in Bronze.__subclasses__()}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fault", choices=faults)
    main(faults[next((a for a in sys.argv[1:] if a in faults), "NotReady")], parser)
