"""silver.py with everything that the contract leaves open done in another way.

It is honest: a check that fails here asks for more than the contract does.
"""
import base64, json

from silver import Silver, main


class Odd(Silver):
    def page(self, prefix, delimiter, limit, after):
        "Pages are short, and only an empty one is the last."
        page = super().page(prefix, delimiter, min(limit, 3), after)
        names = [o["key"] for o in page["objects"]] + page["prefixes"]
        if names and not page["next_cursor"]:
            page["next_cursor"] = base64.urlsafe_b64encode(max(names, key=str.encode).encode()).decode()
        return page

    def store(self, key, media, etag, now, body):
        "Whole seconds are kept."
        return super().store(key, media, etag, int(now), body)

    def unchanged(self, etag, modified):
        "If-Modified-Since is compared as a text, as some servers do."
        if "If-None-Match" in self.headers:
            return super().unchanged(etag, modified)
        return self.headers.get("If-Modified-Since") == modified

    def answer(self, status, body=b"", media="text/plain"):
        "JSON has spaces and a parameter, and there are two lines of digests."
        self.digest = self.extra.pop("Repr-Digest", None)
        if media.endswith("json"):
            body, media = b"\n" + json.dumps(json.loads(body), indent=4).encode() + b"\n", media + "; charset=UTF-8"
        super().answer(status, body, media)

    def send_header(self, name, value):
        super().send_header(name.lower(), f"  {value} ")

    def end_headers(self):
        "Every third answer is the last of its connection."
        if self.digest:
            self.send_header("Repr-Digest", "sha-512=:" + "A" * 86 + "==:")
            self.send_header("Repr-Digest", self.digest)
        if int(self.request_id, 16) % 3 == 0:
            self.send_header("Connection", "close")
        super().end_headers()


if __name__ == "__main__":
    main(Odd)
