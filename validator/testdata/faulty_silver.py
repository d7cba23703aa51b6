"""silver.py with exactly one fault: faulty_silver.py FAULT --dir DIR [--port N].

Each class below is one fault, and breaks one promise of the contract.
"""
import argparse, base64, hashlib, re, sys, time

import silver
from silver import Bronze, Refused, Silver, main


class CreateOverSmall(Silver):
    "If-None-Match: * is not looked at where the body is small."
    def precondition(self, key):
        if "If-None-Match" not in self.headers or int(self.headers["Content-Length"]) > 4096:
            super().precondition(key)


class NeverAgain(Silver):
    "What was deleted cannot be created again."
    deleted = set()
    def delete(self, key):
        super().delete(key)
        self.deleted.add(key)

    def precondition(self, key):
        super().precondition(key)
        if key in self.deleted and "If-None-Match" in self.headers:
            raise Refused(412, "the key held an object")


class UnsafeCreate(Silver):
    "Creators look, and then store: between the two is time for another one."
    def store(self, key, media, etag, now, body):
        if "If-None-Match" not in self.headers:
            return super().store(key, media, etag, now, body)
        self.precondition(key)
        time.sleep(0.1)
        return Bronze.store(self, key, {"key": key, "type": media, "meta": self.meta}, etag, now, body)


class UnsafeSwap(Silver):
    "If-Match is compared, and then the object replaced."
    def store(self, key, media, etag, now, body):
        if "If-Match" not in self.headers:
            return super().store(key, media, etag, now, body)
        self.precondition(key)
        time.sleep(0.1)
        return Bronze.store(self, key, {"key": key, "type": media, "meta": self.meta}, etag, now, body)


class LosersStore(Silver):
    "Of concurrent replacements one is acknowledged, and another one kept."
    def precondition(self, key):
        try:
            super().precondition(key)
        except Refused:
            if self.command == "PUT" and int(self.headers["Content-Length"]) > 4096 and "If-Match" in self.headers:
                Bronze.store(self, key, {"key": key, "type": "text/plain", "meta": {}}, '"later"', time.time(), b"later")
            raise


class WeakPut(Silver):
    "A PUT takes weak tags for the object's."
    def precondition(self, key):
        if self.command == "PUT" and self.headers.get("If-Match", "").startswith("W/"):
            self.headers.replace_header("If-Match", self.headers["If-Match"][2:])
        super().precondition(key)


class BothConditions(Silver):
    "If-Match goes before If-None-Match, and both may come."
    def one_condition(self):
        if "If-Match" in self.headers:
            del self.headers["If-None-Match"]


class SwapOfNothing(Silver):
    "If-Match: * creates what is not there."
    def precondition(self, key):
        if self.command != "PUT" or self.headers.get("If-Match") != "*":
            super().precondition(key)


class DeleteAnyway(Silver):
    "DELETE does not look at If-Match."
    def precondition(self, key):
        if self.command != "DELETE":
            super().precondition(key)


class DeleteOfNothing(Silver):
    "DELETE with If-Match of what is not there is answered as without."
    def precondition(self, key):
        try:
            super().precondition(key)
        except Refused:
            try:
                Bronze.load(self, key)
            except Refused:
                if self.command == "DELETE":
                    return
            raise


class StrongRead(Silver):
    "If-None-Match compares as If-Match does: weak tags never match."
    def unchanged(self, etag, modified):
        if "If-None-Match" in self.headers:
            return silver.strong(self.headers["If-None-Match"], etag)
        return super().unchanged(etag, modified)


class OneTag(Silver):
    "If-None-Match is one tag, never a list."
    def unchanged(self, etag, modified):
        return "," not in self.headers.get("If-None-Match", "") and super().unchanged(etag, modified)


class TaglessNotModified(Silver):
    "A 304 does not say which version it is about."
    def answer(self, status, body=b"", media="text/plain"):
        if status == 304:
            self.extra.pop("ETag", None)
        super().answer(status, body, media)


class SinceAnyway(Silver):
    "If-Modified-Since is looked at beside If-None-Match too."
    def unchanged(self, etag, modified):
        if super().unchanged(etag, modified):
            return True
        del self.headers["If-None-Match"]
        return super().unchanged(etag, modified)


class SinceEver(Silver):
    "Any If-Modified-Since is late enough."
    def unchanged(self, etag, modified):
        return super().unchanged(etag, modified) or "If-None-Match" not in self.headers and "GMT" in self.headers.get("If-Modified-Since", "")


class ShortRange(Silver):
    "The last byte of a range is not sent."
    def answer(self, status, body=b"", media="text/plain"):
        super().answer(status, body[:-1] if status == 206 else body, media)


class SuffixFromStart(Silver):
    "A suffix range is taken from the start."
    def part(self, size):
        if asked := re.fullmatch("bytes=-([0-9]+)", self.headers.get("Range", "")):
            if 0 < int(asked[1]) <= size:
                return 0, int(asked[1]) - 1
        return super().part(size)


class NoClip(Silver):
    "A range that ends past the end is not cut, but ignored."
    def part(self, size):
        asked = re.fullmatch("bytes=([0-9]+)-([0-9]+)", self.headers.get("Range", ""))
        return None if asked and int(asked[1]) < size <= int(asked[2]) else super().part(size)


class RangeOfUnknown(Silver):
    "Content-Range does not say how large the object is."
    def answer(self, status, body=b"", media="text/plain"):
        if status == 206:
            self.extra["Content-Range"] = re.sub("/.*", "/*", self.extra["Content-Range"])
        super().answer(status, body, media)


class Bare416(Silver):
    "A 416 does not say how large the object is."
    def refuse(self, refused):
        refused.headers.pop("Content-Range", None)
        super().refuse(refused)


class UnreadRange(Silver):
    "A range that cannot be read is refused."
    def part(self, size):
        part = super().part(size)
        if part is None and "Range" in self.headers:
            raise Refused(416, "bad range", Content_Range=f"bytes */{size}")
        return part


class AnyUnit(Silver):
    "Every unit is bytes."
    def part(self, size):
        if "Range" in self.headers:
            self.headers.replace_header("Range", re.sub("^[a-z]+=", "bytes=", self.headers["Range"]))
        return super().part(size)


class AlwaysInRange(Silver):
    "If-Range is not looked at."
    def whole(self, media, body):
        del self.headers["If-Range"]
        super().whole(media, body)


class WeakInRange(Silver):
    "If-Range takes weak tags."
    def whole(self, media, body):
        if self.headers.get("If-Range", "").startswith("W/"):
            self.headers.replace_header("If-Range", self.headers["If-Range"][2:])
        super().whole(media, body)


class OrderOfUTF16(Silver):
    "Keys come in the order of UTF-16, as some languages sort."
    def page(self, prefix, delimiter, limit, after):
        page = super().page(prefix, delimiter, limit, after)
        page["objects"].sort(key=lambda o: o["key"].encode("utf-16-be"))
        return page


class BareETags(Silver):
    "Listed ETags have lost their quotes."
    def page(self, prefix, delimiter, limit, after):
        page = super().page(prefix, delimiter, limit, after)
        for listed in page["objects"]:
            listed["etag"] = listed["etag"].strip('"')
        return page


class LoosePrefix(Silver):
    "A slash at the end of a prefix is nothing."
    def stored(self, prefix):
        return super().stored(prefix.rstrip("/"))


class ReaderLists(Silver):
    "The reader may not list."
    def page(self, *options):
        if self.headers["Authorization"].endswith("reader-secret"):
            raise Refused(403, "the reader may not list")
        return super().page(*options)


class OnlySlash(Silver):
    "The slash is the only delimiter that is known."
    def name(self, key, prefix, delimiter):
        return super().name(key, prefix, delimiter if delimiter == "/" else "")


class PrefixTwice(Silver):
    "A page begins with the prefix that the page before ended with."
    def page(self, prefix, delimiter, limit, after):
        if not delimiter or not after.endswith(delimiter) or after == prefix:
            return super().page(prefix, delimiter, limit, after)
        behind = after + chr(0x10ffff)
        if limit == 1:
            return {"objects": [], "prefixes": [after], "next_cursor": base64.urlsafe_b64encode(behind.encode()).decode()}
        page = super().page(prefix, delimiter, limit - 1, behind)
        page["prefixes"].insert(0, after)
        return page


class LimitOfObjects(Silver):
    "The limit counts objects only."
    def page(self, prefix, delimiter, limit, after):
        page = super().page(prefix, delimiter, limit, after)
        while page["next_cursor"] and len(page["objects"]) < limit:
            after = base64.urlsafe_b64decode(page["next_cursor"]).decode()
            more = super().page(prefix, delimiter, limit - len(page["objects"]), after)
            page = {"objects": page["objects"] + more["objects"], "prefixes": page["prefixes"] + more["prefixes"], "next_cursor": more["next_cursor"]}
        return page


class SkippingCursor(Silver):
    "A page begins one key late."
    def page(self, prefix, delimiter, limit, after):
        if after:
            for skipped, *_ in self.stored(prefix):
                if skipped["key"] > after and not delimiter:
                    after = skipped["key"]
                    break
        return super().page(prefix, delimiter, limit, after)


class EndlessPages(Silver):
    "The last page has a cursor too."
    def page(self, prefix, delimiter, limit, after):
        page = super().page(prefix, delimiter, limit, after)
        if after and not page["next_cursor"]:
            page["next_cursor"] = base64.urlsafe_b64encode(after.encode()).decode()
        return page


class LateListing(Silver):
    "An object is not in the first listing that should show it."
    asked = set()
    def stored(self, prefix):
        found = super().stored(prefix)
        shown = [entry for entry in found if entry[0]["key"] in self.asked]
        self.asked.update(entry[0]["key"] for entry in found)
        return shown


class FirstListing(Silver):
    "A listing shows each object as it was first stored."
    first = {}
    def stored(self, prefix):
        return [(head, self.first.get(head["key"], etag), *rest) for head, etag, *rest in super().stored(prefix)]

    def store(self, key, media, etag, now, body):
        replaced = super().store(key, media, etag, now, body)
        self.first.setdefault(key, etag)
        return replaced


class GhostListing(Silver):
    "What was deleted is listed for ever."
    ghosts = {}
    def delete(self, key):
        self.ghosts.update((entry[0]["key"], entry) for entry in super().stored(key) if entry[0]["key"] == key)
        super().delete(key)

    def stored(self, prefix):
        found = {entry[0]["key"]: entry for entry in super().stored(prefix)}
        found = {**{key: entry for key, entry in self.ghosts.items() if key.startswith(prefix)}, **found}
        return [found[key] for key in sorted(found, key=str.encode)]


class FirstSize(Silver):
    "A listing shows each object's first size."
    first = {}
    def page(self, *options):
        page = super().page(*options)
        for listed in page["objects"]:
            listed["size"] = self.first[listed["key"]]
        return page

    def store(self, key, media, etag, now, body):
        replaced = super().store(key, media, etag, now, body)
        self.first.setdefault(key, len(body))
        return replaced


class RawPrefix(Silver):
    "A prefix is taken as it stands in the query."
    def options(self, query):
        prefix, *others = super().options(query)
        raw = re.search("(?:^|&)prefix=([^&]*)", query)
        return raw[1] if raw else prefix, *others


class PrefixOnly(Silver):
    "A key that is the prefix itself is not listed."
    def stored(self, prefix):
        return [entry for entry in super().stored(prefix) if entry[0]["key"] != prefix]


class CountingCursor(Silver):
    "A cursor is how many entries came before."
    def page(self, prefix, delimiter, limit, after):
        page, start = super().page(prefix, delimiter, 1 << 30, ""), int(after or 0)
        entries = sorted([(o["key"], o) for o in page["objects"]] + [(name, None) for name in page["prefixes"]], key=lambda e: e[0].encode())
        shown, end = entries[start:start + limit], start + limit
        return {"objects": [o for _, o in shown if o], "prefixes": [name for name, o in shown if not o],
                "next_cursor": base64.urlsafe_b64encode(str(end).encode()).decode() if end < len(entries) else None}


class ClampedLimit(Silver):
    "A limit that is too large is taken for the largest."
    def options(self, query):
        return super().options(re.sub(r"limit=[1-9][0-9]{3,}", "limit=1000", query))


class LongDelimiter(Silver):
    "A delimiter is cut to its first character."
    def options(self, query):
        return super().options(re.sub(r"delimiter=(%2F|[a-z0-9])[^&]*", r"delimiter=\1", query))


class ForgivenCursor(Silver):
    "A bad cursor means the first page."
    def options(self, query):
        return super().options(re.sub(r"cursor=%00[^&]*", "", query))


class NoDigest(Silver):
    "A digest is read, and the body not compared."
    def check_digest(self, body):
        try:
            super().check_digest(body)
        except Refused as refused:
            if "match" not in str(refused):
                raise


class DigestOfSome(Silver):
    "The digest of an empty body is not compared."
    def check_digest(self, body):
        if body != b"":
            super().check_digest(body)


class LateDigest(Silver):
    "The digest is compared when the object is stored already."
    def put(self, key, body):
        try:
            super().put(key, body)
        except Refused as refused:
            if "match" in str(refused):
                Bronze.store(self, key, {"key": key, "type": "text/plain", "meta": {}}, '"torn"', time.time(), body)
            raise


class UnchunkedDigest(NoDigest):
    "The digest of a chunked body is not compared."
    def check_digest(self, body):
        if "Transfer-Encoding" in self.headers:
            return super().check_digest(body)
        return Silver.check_digest(self, body)


class UnreadDigest(Silver):
    "A digest that cannot be read is ignored."
    def check_digest(self, body):
        try:
            super().check_digest(body)
        except Refused as refused:
            if "match" in str(refused):
                raise


class DigestOfPart(Silver):
    "Repr-Digest is that of the bytes in the answer."
    def answer(self, status, body=b"", media="text/plain"):
        if "Repr-Digest" in self.extra:
            self.extra["Repr-Digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        super().answer(status, body, media)


class HexDigest(Silver):
    "Repr-Digest is spelled in hexadecimal."
    def answer(self, status, body=b"", media="text/plain"):
        if "Repr-Digest" in self.extra:
            self.extra["Repr-Digest"] = f"sha-256=:{hashlib.sha256(body).hexdigest()}:"
        super().answer(status, body, media)


class HeadWithoutMeta(Silver):
    "HEAD does not return metadata."
    def load(self, key):
        loaded = super().load(key)
        if self.command == "HEAD":
            self.extra = {name: value for name, value in self.extra.items() if not name.startswith("Bogops-Meta-")}
        return loaded


class FirstOfList(Silver):
    "A value is a list, of which the first is kept."
    def metadata(self):
        return {name: value.split(",")[0] for name, value in super().metadata().items()}


class MetaSurvives(Silver):
    "Metadata of the object before stays where the new one has none of that name."
    def store(self, key, media, etag, now, body):
        try:
            self.meta = {**Bronze.load(self, key)[0]["meta"], **self.meta}
        except Refused:
            pass
        return super().store(key, media, etag, now, body)


class EndlessMeta(Silver):
    "Metadata has no limit."
    def put(self, key, body):
        limit, silver.META_BYTES = silver.META_BYTES, 1 << 20
        try:
            super().put(key, body)
        finally:
            silver.META_BYTES = limit


class CutMeta(Silver):
    "A value is cut after 512 characters."
    def metadata(self):
        return {name: value[:512] for name, value in super().metadata().items()}


class RestartingXor(Silver):
    "The nonce starts again with every KiB."
    def xor(self, data, nonce):
        return b"".join(super(RestartingXor, self).xor(data[at:at + 1024], nonce) for at in range(0, len(data), 1024))


class OneMoreRound(Silver):
    "stretch goes one round too far."
    def stretch(self, data, nonce, rounds):
        return super().stretch(data, nonce, rounds + 1)


class HexPassword(Silver):
    "The password of stretch is the digest in hexadecimal."
    def stretch(self, data, nonce, rounds):
        password = hashlib.sha256(data).hexdigest().encode()
        return hashlib.pbkdf2_hmac("sha256", password, nonce, rounds, 32).hex().encode()


class EndlessStretch(Silver):
    "stretch may have any number of rounds."
    def step(self, word):
        return super().step(re.sub("^(stretch:.*):[1-9][0-9]{5}$", r"\1:100000", word))


class GzipAnywhere(Silver):
    "gzip may stand anywhere in a chain."
    def words(self, chain):
        words = Bronze.words(self, chain)
        self.zipped = words[-1] == "gzip"
        return words


class GzipAsBytes(Silver):
    "What was zipped has the media type of any bytes."
    def words(self, chain):
        words = super().words(chain)
        self.zipped = False
        return words


class TornGzip(Silver):
    "The end of the gzip stream is missing."
    def step(self, word):
        step = super().step(word)
        return (lambda data: step(data)[:-8]) if word == "gzip" else step


class RangeOfProcessed(Silver):
    "Range is looked at with process too."
    def answer(self, status, body=b"", media="text/plain"):
        if self.command == "GET" and "process=" in self.path and status == 200 and (part := self.part(len(body))):
            status, body = 206, body[part[0]:part[1] + 1]
        super().answer(status, body, media)


class NotModifiedProcessed(Silver):
    "If-None-Match is looked at with process too."
    def processed(self, body, steps):
        if "If-None-Match" in self.headers:
            return self.answer(304)
        super().processed(body, steps)


class ProblemOfCondition(Silver):
    "What a condition refuses is plain text."
    def refuse(self, refused):
        if refused.status == 412:
            return self.answer(412, str(refused).encode())
        super().refuse(refused)


class ProblemOfRange(Silver):
    "What a range refuses is plain text."
    def refuse(self, refused):
        if refused.status == 416:
            self.extra.update(refused.headers)
            return self.answer(416, str(refused).encode())
        super().refuse(refused)


def subclasses(of):
    for one in of.__subclasses__():
        yield one
        yield from subclasses(one)


if __name__ == "__main__":
    faults = {fault.__name__: fault for fault in subclasses(Silver)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fault", choices=faults)
    main(faults[next(a for a in sys.argv[1:] if a in faults)], parser)
