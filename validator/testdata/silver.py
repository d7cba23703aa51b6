"""An honest platform of level silver: bronze.py and what silver adds to it.

Like bronze.py it needs nothing but Python's standard library, is started the
same way, and is slow where slowness harms nobody: a listing reads the head of
every file.
"""
import base64, email.utils, gzip, hashlib, json, os, re, threading, urllib.parse

from bronze import Bronze, Refused, main

META, META_BYTES = "bogops-meta-", 2 << 10


def strong(tags, etag):
    """Tells whether tags, the value of an If-Match, hold etag. Weak tags never do."""
    return tags.strip() == "*" or etag in re.findall(r'(?<!W/)"[^"]*"', tags)


def weak(tags, etag):
    return tags.strip() == "*" or etag in re.findall('"[^"]*"', tags)


class Silver(Bronze):
    lock = threading.RLock()  # of every change, and of the look before it

    def describe(self):
        return {**super().describe(), "level": "silver"}

    def route(self, path, query, body):
        if path != "/v1/objects":
            return super().route(path, query, body)
        if self.command not in ("GET", "HEAD"):
            raise Refused(405, "want GET or HEAD", Allow="GET, HEAD")
        self.answer(200, json.dumps(self.page(*self.options(query))).encode(), "application/json")

    # Writes.
    def put(self, key, body):
        self.one_condition()
        self.meta = self.metadata()
        self.check_digest(body)
        super().put(key, body)

    def store(self, key, media, etag, now, body):
        with self.lock:
            self.precondition(key)
            return super().store(key, {"key": key, "type": media, "meta": self.meta}, etag, now, body)

    def delete(self, key):
        self.one_condition()
        with self.lock:
            self.precondition(key)
            super().delete(key)

    def one_condition(self):
        if "If-Match" in self.headers and "If-None-Match" in self.headers:
            raise Refused(400, "want If-Match or If-None-Match, not both")

    def precondition(self, key):
        try:
            etag = super().load(key)[1]
        except Refused:
            etag = None
        match = self.headers.get("If-Match")
        if match is not None and (etag is None or not strong(match, etag)):
            raise Refused(412, "the object is not the one that If-Match names")
        if self.command == "PUT" and self.headers.get("If-None-Match") == "*" and etag is not None:
            raise Refused(412, "the key holds an object")

    def metadata(self):
        meta = {name.lower()[len(META):]: value for name, value in self.headers.items() if name.lower().startswith(META)}
        if sum(len(name) + len(value) for name, value in meta.items()) > META_BYTES:
            raise Refused(400, "want at most 2 KiB of metadata")
        if not re.fullmatch("[ -~]*", "".join(meta.values())):
            raise Refused(400, "want metadata in visible ASCII")
        return meta

    def check_digest(self, body):
        for member in self.headers.get("Content-Digest", "").split(","):
            name, _, value = member.strip().partition("=")
            if name != "sha-256" or body is None:
                continue
            encoded = re.fullmatch(":([A-Za-z0-9+/]{43}=):", value)
            if not encoded:
                raise Refused(400, "want sha-256=:BASE64: of 32 bytes")
            if base64.b64decode(encoded[1]) != hashlib.sha256(body).digest():
                raise Refused(400, "the body does not match its digest")

    # Reads.
    def load(self, key):
        head, etag, modified, body = super().load(key)
        self.extra.update({"Bogops-Meta-" + name: value for name, value in head["meta"].items()})
        return head["type"], etag, modified, body

    def whole(self, media, body):
        etag, modified = self.extra["ETag"], self.extra["Last-Modified"]
        if self.unchanged(etag, modified):
            return self.answer(304)
        if re.search(r"(^|,)\s*sha-256\s*(=\s*[1-9]|,|$)", self.headers.get("Want-Repr-Digest", "")):
            self.extra["Repr-Digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        part = self.part(len(body)) if self.command == "GET" and self.headers.get("If-Range", etag) in (etag, modified) else None
        if part is None:
            return self.answer(200, body, media)
        first, last = part
        self.extra["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
        self.answer(206, body[first:last + 1], media)

    def unchanged(self, etag, modified):
        if "If-None-Match" in self.headers:
            return weak(self.headers["If-None-Match"], etag)
        try:
            since = email.utils.parsedate_to_datetime(self.headers["If-Modified-Since"])
            return email.utils.parsedate_to_datetime(modified) <= since
        except (TypeError, ValueError):
            return False

    def part(self, size):
        """Returns the first and the last byte that Range asks for, or None where it asks for nothing that can be read."""
        asked = re.fullmatch("bytes=([0-9]*)-([0-9]*)", self.headers.get("Range", ""))
        if not asked or asked[0] == "bytes=-":
            return None
        if asked[1] == "":
            first, last = max(0, size - int(asked[2])), size - 1
        else:
            first, last = int(asked[1]), min(size - 1, int(asked[2] or size))
            if asked[2] and int(asked[2]) < first:
                return None
        if first >= size:
            raise Refused(416, f"the object has {size} bytes", Content_Range=f"bytes */{size}")
        return first, last

    # Listing.
    def options(self, query):
        try:
            given = urllib.parse.parse_qs(query, keep_blank_values=True, errors="strict")
            prefix, delimiter, limit, cursor = (given.get(name, [""])[0] for name in ("prefix", "delimiter", "limit", "cursor"))
            after = base64.urlsafe_b64decode(cursor.encode("ascii")).decode()
        except ValueError:
            raise Refused(400, "bad escape or bad cursor")
        if "limit" in given and not re.fullmatch("[1-9][0-9]{0,2}|1000", limit):
            raise Refused(400, "want a limit of 1 to 1,000")
        if len(delimiter) > 1:
            raise Refused(400, "want a delimiter of one character")
        if cursor and not after:
            raise Refused(400, "bad cursor")
        return prefix, delimiter, int(limit or 100), after

    def page(self, prefix, delimiter, limit, after):
        objects, prefixes, last = [], [], after
        for head, etag, modified, size in self.stored(prefix):
            name, shared = self.name(head["key"], prefix, delimiter)
            if name.encode() <= last.encode():
                continue
            if len(objects) + len(prefixes) == limit:
                return {"objects": objects, "prefixes": prefixes, "next_cursor": base64.urlsafe_b64encode(last.encode()).decode()}
            last = name
            if shared:
                prefixes.append(name)
            else:
                objects.append(self.described(head["key"], size, etag, head["type"], modified))
        return {"objects": objects, "prefixes": prefixes, "next_cursor": None}

    def name(self, key, prefix, delimiter):
        """Returns what a key is listed as, and whether that is a prefix which it may share with others."""
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        return (key, False) if at < 0 else (key[:at + 1], True)

    def stored(self, prefix):
        """Returns head, ETag, time and size of the objects whose keys begin with prefix, in byte order of the keys."""
        found = []
        with self.lock:
            for name in os.listdir(self.directory):
                if name.endswith(".new"):
                    continue
                with open(os.path.join(self.directory, name), "rb") as file:
                    line = file.readline()
                    if json.loads(line)[0]["key"].startswith(prefix):
                        found.append((*json.loads(line), os.fstat(file.fileno()).st_size - len(line)))
        return sorted(found, key=lambda entry: entry[0]["key"].encode())

    # Processing.
    def words(self, chain):
        words = super().words(chain)
        if "gzip" in words[:-1]:
            raise Refused(400, "want gzip as the last step")
        self.zipped = words[-1] == "gzip"
        return words

    def step(self, word):
        name, *args = word.split(":")
        if word == "gzip":
            return gzip.compress
        if name not in ("xor", "stretch"):
            return super().step(word)
        if len(args) != (1 if name == "xor" else 2) or not re.fullmatch("[A-Za-z0-9_-]{1,64}", args[0]):
            raise Refused(400, "bad nonce")
        nonce = args[0].encode()
        if name == "xor":
            return lambda b: self.xor(b, nonce)
        if not re.fullmatch("[1-9][0-9]{0,4}|100000", args[1]):
            raise Refused(400, "want 1 to 100,000 iterations")
        return lambda b: self.stretch(b, nonce, int(args[1]))

    def xor(self, data, nonce):
        return bytes(c ^ nonce[i % len(nonce)] for i, c in enumerate(data))

    def stretch(self, data, nonce, rounds):
        return hashlib.pbkdf2_hmac("sha256", hashlib.sha256(data).digest(), nonce, rounds, 32).hex().encode()

    def processed(self, body, steps):
        for name in [name for name in self.extra if name.lower().startswith(META)]:
            del self.extra[name]
        super().processed(body, steps, "application/gzip" if self.zipped else "application/octet-stream")


if __name__ == "__main__":
    main(Silver)
