"""The processing steps of CHALLENGE.md, section 2, in a second language.

Reads lines of JSON {"chain": text, "data": hex} and answers each with one
line: the hex of the processed bytes, or "bad" for a chain that the contract
refuses. For a chain that ends with gzip the hex is one stream of many right
ones. It is written from the contract alone, so that the judge's oracle is
not its own witness.
"""
import base64, gzip, hashlib, hmac, json, re, sys

LARGEST = 2**63 - 1


def number(text):
    if not re.fullmatch(r"0|[1-9][0-9]*", text, re.ASCII) or int(text) > LARGEST:
        raise ValueError(text)
    return int(text)


def nonce(text):
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text, re.ASCII):
        raise ValueError(text)
    return text.encode()


def part(data, offset, length):
    return data[offset:][:length]


def upper(data):
    return bytes(c - 32 if 97 <= c <= 122 else c for c in data)


def xor(data, key):
    return bytes(c ^ key[i % len(key)] for i, c in enumerate(data))


def stretch(data, salt, n):
    if not 1 <= n <= 100000:
        raise ValueError(n)
    password = hashlib.sha256(data).digest()
    return hashlib.pbkdf2_hmac("sha256", password, salt, n, 32).hex().encode()


STEPS = {
    "sha256": ([], lambda d: hashlib.sha256(d).hexdigest().encode()),
    "sha512": ([], lambda d: hashlib.sha512(d).hexdigest().encode()),
    "hmac": ([nonce], lambda d, k: hmac.new(k, d, "sha256").hexdigest().encode()),
    "slice": ([number, number], part),
    "reverse": ([], lambda d: d[::-1]),
    "upper": ([], upper),
    "base64": ([], base64.b64encode),
    "xor": ([nonce], xor),
    "stretch": ([nonce, number], stretch),
}


def apply(chain, data):
    steps, texts = [], chain.split(",")
    if len(texts) > 8:
        raise ValueError(chain)
    if texts[-1] == "gzip":
        return gzip.compress(apply(",".join(texts[:-1]), data) if texts[1:] else data)
    for text in texts:
        name, *args = text.split(":")
        kinds, function = STEPS[name]
        if len(args) != len(kinds):
            raise ValueError(text)
        steps.append((function, [kind(arg) for kind, arg in zip(kinds, args)]))
    for function, args in steps:
        data = function(data, *args)
    return data


for line in sys.stdin:
    case = json.loads(line)
    try:
        print(apply(case["chain"], bytes.fromhex(case["data"])).hex())
    except (KeyError, ValueError):
        print("bad")
