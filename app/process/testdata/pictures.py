"""The same for thumbnail, whose answer is not defined byte for byte.

    pictures.py draw SEED COUNT  prints COUNT PNG files (in base64), each with
                                 the box of a thumbnail
    pictures.py judge            reads those lines again, with the thumbnail
                                 (PNG, in base64) as out, and prints what is
                                 wrong with each, or ""

CHALLENGE.md lets the mean of each ninth be off by 8. Here every pixel is held
to the mean of the area that it covers, within 2.
"""

import base64
import json
import math
import struct
import sys
import zlib
from fractions import Fraction

from golden import Draw

# What the colour types of a PNG hold for each pixel, all at 8 bits.
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(width, height, kind, pixels):
    """Writes rows without a filter."""
    rows = b"".join(b"\0" + bytes(v for pixel in row for v in pixel) for row in pixels)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def paeth(left, above, corner):
    guess = left + above - corner
    return min((left, above, corner), key=lambda v: abs(guess - v))


def read_png(file):
    """Returns rows of pixels on white: PNG, second edition, sections 9 and 11."""
    assert file[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    at, packed = 8, b""
    while at < len(file):
        length, kind = struct.unpack(">I4s", file[at:at + 8])
        data = file[at + 8:at + 8 + length]
        assert struct.unpack(">I", file[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + data), "a wrong checksum"
        if kind == b"IHDR":
            width, height, depth, colours, _, _, interlace = struct.unpack(">IIBBBBB", data)
            assert (depth, interlace) == (8, 0), "a depth or an order that is not read here"
        if kind == b"IDAT":
            packed += data
        at += 12 + length
    step = CHANNELS[colours]
    lines = zlib.decompress(packed)
    assert len(lines) == height * (1 + width * step), "too few or too many bytes"
    rows, above = [], bytearray(width * step)
    for y in range(height):
        start = y * (1 + width * step)
        rule, line = lines[start], bytearray(lines[start + 1:start + 1 + width * step])
        for i in range(len(line)):
            left, corner = (line[i - step], above[i - step]) if i >= step else (0, 0)
            line[i] = (line[i] + [0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner)][rule]) % 256
        above = line
        rows.append([on_white(line[i:i + step]) for i in range(0, len(line), step)])
    return rows


def on_white(pixel):
    if len(pixel) % 2:
        colour, alpha = pixel, 255
    else:
        colour, alpha = pixel[:-1], pixel[-1]
    colour = [(v * alpha + 255 * (255 - alpha)) / 255 for v in colour]
    return colour * 3 if len(colour) == 1 else colour


def mean(rows, left, right, top, bottom):
    """The mean colour of an area whose edges may cut pixels."""
    sums, area = [0.0, 0.0, 0.0], 0.0
    for y in range(int(top), min(len(rows), math.ceil(bottom))):
        tall = min(bottom, y + 1) - max(top, y)
        for x in range(int(left), min(len(rows[0]), math.ceil(right))):
            part = tall * (min(right, x + 1) - max(left, x))
            area += part
            for i in range(3):
                sums[i] += part * rows[y][x][i]
    return [v / area for v in sums]


def pictures(seed, count):
    draw = Draw(seed)
    for _ in range(count):
        width, height = 1 + draw.below(draw.of([3, 12, 60])), 1 + draw.below(draw.of([3, 12, 60]))
        kind = draw.of(sorted(CHANNELS))
        values = draw.bytes(width * height * CHANNELS[kind])
        if draw.below(2):  # a picture that is not noise
            values = bytes(v // 8 + 200 * (i // CHANNELS[kind] % width) // width for i, v in enumerate(values))
        pixels = [[values[(y * width + x) * CHANNELS[kind]:][:CHANNELS[kind]] for x in range(width)] for y in range(height)]
        file = base64.b64encode(write_png(width, height, kind, pixels)).decode()
        yield {"file": file, "width": draw.of([1, 2, 1024, 1 + draw.below(70)]), "height": draw.of([1, 2, 1024, 1 + draw.below(70)])}


def wrong(line):
    full, small = read_png(base64.b64decode(line["file"])), read_png(base64.b64decode(line["out"]))
    high, wide = len(full), len(full[0])
    scale = min(Fraction(1), Fraction(line["width"], wide), Fraction(line["height"], high))
    want = max(1, math.floor(wide * scale)), max(1, math.floor(high * scale))
    got = len(small[0]), len(small)
    if got != want:
        return f"{wide}x{high} in {line['width']}x{line['height']} is {got}; want {want}"
    for y in range(got[1]):
        for x in range(got[0]):
            colour = mean(full, x * wide / got[0], (x + 1) * wide / got[0], y * high / got[1], (y + 1) * high / got[1])
            if any(abs(a - b) > 2 for a, b in zip(small[y][x], colour)):
                return f"{wide}x{high} as {got}: pixel {x},{y} is {small[y][x]}; want {colour}"
    return ""


def judge():
    for line in sys.stdin:
        print(json.dumps(wrong(json.loads(line))))


if __name__ == "__main__":
    if sys.argv[1:] == ["judge"]:
        judge()
    elif len(sys.argv) == 4 and sys.argv[1] == "draw":
        for one in pictures(sys.argv[2], int(sys.argv[3])):
            print(json.dumps(one))
    else:
        sys.exit(__doc__)
