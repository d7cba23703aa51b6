"""A second implementation of processing, to hold the first one against.

It was written from section 2 of CHALLENGE.md alone and shares nothing with the
Go code but that page. It needs Python 3.9 and its standard library.

    golden.py vectors SEED COUNT   prints COUNT vectors, one JSON object a line
    golden.py gunzip               reads gzip streams, one in base64 a line, and
                                   prints what each one holds

A vector says what a platform must make of an object and a chain:

    chain    the value of `process`, as it stands in the query
    limit    the platform's processing limit in bytes
    pattern  the object is these bytes (in base64), repeated, and
    size     cut to so many
    verdict  "ok", "refused" (400), "too large" or "no image" (both 422)
    gzip     whether the chain ends in gzip; the three below are before it
    out      what the chain makes, in base64, where it is short
    out_size, out_sha256   and of any that is ok

The same seed gives the same vectors with every version of Python: draws come
from SHA-256 and not from the random module.
"""

import base64
import hashlib
import hmac
import json
import re
import string
import sys
import zlib

NONCE = re.compile(rb"[A-Za-z0-9_-]{1,64}")
NUMBER = re.compile(rb"0|[1-9][0-9]*")
MOST = 2**63 - 1


class Refused(Exception):
    """The chain is malformed: 400."""


class TooLarge(Exception):
    """A step would read more than the limit: 422."""


class NoImage(Exception):
    """What thumbnail reads is no PNG or JPEG: 422."""


def decode(raw):
    """Decodes percents once; every one must begin an escape."""
    raw = raw.encode("utf-8")
    if re.search(rb"%(?![0-9A-Fa-f]{2})", raw):
        raise Refused("a bad escape")
    return re.sub(rb"%(..)", lambda found: bytes([int(found[1], 16)]), raw, flags=re.DOTALL)


def number(text, least=0, most=MOST):
    if not NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise Refused("a bad number")
    return int(text)


def nonce(text):
    if not NONCE.fullmatch(text):
        raise Refused("a bad nonce")
    return text


def no_image(data):
    """No object of these vectors is an image: pictures.py draws those."""
    raise NoImage


def bind(word):
    """Returns what a step does to bytes."""
    name, *args = word.split(b":")
    if name == b"sha256" and not args:
        return lambda data: hashlib.sha256(data).hexdigest().encode()
    if name == b"sha512" and not args:
        return lambda data: hashlib.sha512(data).hexdigest().encode()
    if name == b"hmac" and len(args) == 1:
        key = nonce(args[0])
        return lambda data: hmac.new(key, data, hashlib.sha256).hexdigest().encode()
    if name == b"slice" and len(args) == 2:
        offset, length = number(args[0]), number(args[1])
        return lambda data: data[offset:offset + length]
    if name == b"reverse" and not args:
        return lambda data: data[::-1]
    if name == b"upper" and not args:
        return lambda data: bytes(c - 32 if 97 <= c <= 122 else c for c in data)
    if name == b"base64" and not args:
        return base64.b64encode
    if name == b"xor" and len(args) == 1:
        key = nonce(args[0])
        return lambda data: bytes(c ^ key[i % len(key)] for i, c in enumerate(data))
    if name == b"stretch" and len(args) == 2:
        salt, rounds = nonce(args[0]), number(args[1], 1, 100_000)
        return lambda data: hashlib.pbkdf2_hmac("sha256", hashlib.sha256(data).digest(), salt, rounds, 32).hex().encode()
    if name == b"gzip" and not args:
        return lambda data: data
    if name == b"thumbnail" and len(args) == 2:
        number(args[0], 1, 1024), number(args[1], 1, 1024)
        return no_image
    raise Refused("no such step")


def process(raw, data, limit):
    """Returns the bytes that the chain makes, and whether gzip follows."""
    words = decode(raw).split(b",")
    if not 1 <= len(words) <= 8:
        raise Refused("too many steps")
    if b"gzip" in words[:-1]:
        raise Refused("gzip is not last")
    if len(words) > 1 and any(word.startswith(b"thumbnail:") for word in words):
        raise Refused("thumbnail is not alone")
    for step in [bind(word) for word in words]:
        if len(data) > limit:
            raise TooLarge
        data = step(data)
    return data, words[-1] == b"gzip"


class Draw:
    """Draws from a seed."""

    def __init__(self, seed):
        self.seed, self.drawn = seed, 0

    def bytes(self, count):
        out = b""
        while len(out) < count:
            out += hashlib.sha256(f"{self.seed}/{self.drawn}".encode()).digest()
            self.drawn += 1
        return out[:count]

    def below(self, bound):
        return int.from_bytes(self.bytes(16), "big") % bound

    def of(self, choices):
        return choices[self.below(len(choices))]


# Around what an implementation may buffer, and around the blocks of a hash.
BORDERS = [64, 128, 4096, 3 * 8192, 32 << 10, 64 << 10]
SIZES = [0, 1, 2, 3] + [border + by for border in BORDERS for by in (-1, 0, 1)]
NONCES = string.ascii_letters + string.digits + "_-"

# Chains at the edge of the grammar, on either side of it.
EDGES = [
    "", ",", "upper,", ",upper", "upper,,upper", " upper", "upper ", "Upper", "UPPER", "upper:", "upper:1", "sha-256",
    "sha256%2Csha512", "sha256%2csha512", "slice%3A1%3a2", "%75pper", "upper%252Cupper", "%", "upper%", "upper%2", "upper%2g", "upper%zz",
    "upper%00", "upper%0A", "upper\n", "upper+reverse", "upper;reverse", "hmac", "hmac:", "hmac::", "hmac:a:b", "hmac:a+b", "hmac:a%2Db",
    "hmac:a.b", "hmac:é", "hmac:%FF", "hmac:" + "n" * 64, "hmac:" + "n" * 65, "hmac:n\n", "xor", "xor:", "xor:" + "x" * 64,
    "xor:" + "x" * 65, "xor:a=b", "slice", "slice:1", "slice::", "slice:1:", "slice:0:0", "slice:00:1", "slice:01:1", "slice:1:01", "slice:+1:1",
    "slice:-1:1", "slice:-0:1", "slice:1.0:1", "slice:1e3:1", "slice:0x1:1", "slice:1_0:1", "slice: 1:1", "slice:1:1:1",
    f"slice:0:{MOST}", f"slice:{MOST}:{MOST}", f"slice:0:{MOST + 1}", f"slice:{MOST + 1}:0", "slice:0:" + "9" * 99, "slice:٣:1",
    "stretch", "stretch:n", "stretch:n:", "stretch::1", "stretch:n:0", "stretch:n:1", "stretch:n:01", "stretch:n:100000", "stretch:n:100001",
    "stretch:n:-1", "stretch:n:1:1", "stretch:1:n", f"stretch:n:{MOST}", f"stretch:n:{MOST + 1}", "gzip", "gzip:6", "gzip,upper", "gzip,gzip",
    "upper,gzip", "GZIP", "gzip%2Cgzip", ",".join(["upper"] * 8), ",".join(["upper"] * 9), ",".join(["reverse"] * 7 + ["gzip"]),
    ",".join(["reverse"] * 8 + ["gzip"]), "sha1", "md5", "lower", "base32", "thumbnail", "thumbnail:0:1", "thumbnail:1:1,upper", "upper,thumbnail:1:1",
    "thumbnail:1:1", "thumbnail:1024:1024", "thumbnail:1025:1", "thumbnail:1:1025", "thumbnail:01:1", "thumbnail:1:1:1", "thumbnail%3A9%3a9",
]


def draw_nonce(draw):
    return "".join(draw.of(NONCES) for _ in range(draw.of([1, 2, 3, 7, 13, 63, 64])))


def draw_step(draw, size):
    name = draw.of(["sha256", "sha512", "hmac", "slice", "slice", "reverse", "reverse", "upper", "base64", "xor", "xor", "stretch"])
    if name in ("hmac", "xor"):
        return f"{name}:{draw_nonce(draw)}"
    if name == "slice":
        edges = [0, 1, size // 2, max(size - 1, 0), size, size + 1, MOST, draw.below(size + 2)]
        return f"slice:{draw.of(edges)}:{draw.of(edges)}"
    if name == "stretch":
        return f"stretch:{draw_nonce(draw)}:{draw.of([1, 2, 3, 10, 1 + draw.below(2000)])}"
    return name


def draw_chain(draw, size):
    words = [draw_step(draw, size) for _ in range(1 + draw.below(draw.of([1, 3, 8])))]
    if draw.below(5) == 0:
        words[-1] = "gzip"
    return ",".join(words)


def mutate(draw, chain):
    """Changes one place of a chain: sometimes it stays a good one."""
    at = draw.below(len(chain))
    char = chain[at]
    return chain[:at] + draw.of([
        "", char * 2, "," + char, ":" + char, "%" + char, f"%{ord(char):02x}", f"%{ord(char):02X}", f"%25{ord(char):02X}",
        char.swapcase(), "0" + char, "9" + char, "+", "-", " ", "é", "\0", ",gzip," + char,
    ]) + chain[at + 1:]


def vector(draw, chain, pattern, size, limit):
    found = {"chain": chain, "limit": limit, "pattern": base64.b64encode(pattern).decode(), "size": size}
    data = (pattern * (size // len(pattern) + 1))[:size]
    try:
        out, found["gzip"] = process(chain, data, limit)
    except Refused:
        return {**found, "verdict": "refused"}
    except TooLarge:
        return {**found, "verdict": "too large"}
    except NoImage:
        return {**found, "verdict": "no image"}
    found.update(verdict="ok", out_size=len(out), out_sha256=hashlib.sha256(out).hexdigest())
    if len(out) <= 256:
        found["out"] = base64.b64encode(out).decode()
    return found


def vectors(seed, count):
    draw = Draw(seed)
    for i in range(count):
        size = draw.of(SIZES + [draw.below(300)] * 20)
        pattern = draw.bytes(1 + draw.below(draw.of([8, 256])))
        if i < len(EDGES):
            chain = EDGES[i]
        else:
            chain = draw_chain(draw, size)
            if draw.below(3) == 0:
                chain = mutate(draw, chain)
        limit = draw.of([64 << 20] * 6 + [size, size + 1, max(size - 1, 0), 64, 128])
        yield vector(draw, chain, pattern, size, limit)


def gunzip():
    for line in sys.stdin:
        unzip = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)  # gzip and nothing else
        out = unzip.decompress(base64.b64decode(line))
        whole = unzip.eof and not unzip.unused_data
        print(json.dumps({"whole": whole, "size": len(out), "sha256": hashlib.sha256(out).hexdigest()}))


if __name__ == "__main__":
    if sys.argv[1:] == ["gunzip"]:
        gunzip()
    elif len(sys.argv) == 4 and sys.argv[1] == "vectors":
        for one in vectors(sys.argv[2], int(sys.argv[3])):
            print(json.dumps(one))
    else:
        sys.exit(__doc__)
