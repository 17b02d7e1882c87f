#!/usr/bin/env python3
"""Finds every whole record of damaged translogs, as JSON lines.

    find_whole.py FILE...             a translog of 1.4 or later with a sound header

An independent reader: standard library only, written from the description of the formats and not
from the Rust code. Behind a record that is not whole it goes on where the size field leads, when
a whole record or the end of the file is there, else at the next place where a record is whole.
A record in which one flipped bit explains everything counts as whole: every bit is tried.
"""

import json
import struct
import sys
import zlib

from read_translog import Bad, Reader, operation, read_header, record

TYPES = (1, 2, 3, 4)


class Sources(Reader):
    """Remembers the longest bytes field: the document."""

    document = b""

    def bytes(self):
        taken = super().bytes()
        self.document = max(self.document, taken, key=len)
        return taken


def size_at(data, at):
    return struct.unpack(">I", data[at : at + 4])[0] if at + 4 <= len(data) else None


def whole_end(data, at, version, size_counts):
    """End of the whole record there, or None; `size_counts`: its size field must be right too."""
    try:
        end = record(data, at, version, version == 3)[1]
    except (Bad, struct.error):
        return None
    return None if size_counts and end != at + 4 + size_at(data, at) else end


def is_record(body, numbered):
    """Whether a body without its CRC is an operation, and its document JSON if it begins so."""
    reader = Sources(body, 0, len(body))
    try:
        operation(reader, numbered)
    except (Bad, struct.error):
        return False
    if reader.at != reader.end:
        return False
    if reader.document[:1] == b"{":
        try:
            json.loads(reader.document)
        except ValueError:
            return False
    return True


def with_flip(data, bit):
    flipped = bytearray(data)
    flipped[bit // 8] ^= 1 << (bit % 8)
    return flipped


def healed_end(data, at, numbered):
    """End of the record there once the one bit that must have flipped is flipped back, or None."""
    size = size_at(data, at)
    if size is None:
        return None
    ends = []
    rest = len(data) - at - 4
    if 5 <= size <= rest:
        sized = data[at + 4 : at + 4 + size]
        for bit in range(8 * size):
            flipped = with_flip(sized, bit)
            if zlib.crc32(flipped[:-4]) == struct.unpack(">I", flipped[-4:])[0]:
                if is_record(bytes(flipped[:-4]), numbered):
                    ends.append(at + 4 + size)
    for bit in range(32):
        other = size ^ 1 << bit
        if 5 <= other <= rest:
            sized = data[at + 4 : at + 4 + other]
            if zlib.crc32(sized[:-4]) == struct.unpack(">I", sized[-4:])[0]:
                if is_record(sized[:-4], numbered):
                    ends.append(at + 4 + other)
    return ends[0] if len(ends) == 1 else None


def next_whole(data, at, version):
    """Where the next whole record begins, or None."""
    size = size_at(data, at)
    if size is not None and 5 <= size and at + 4 + size <= len(data):
        said = at + 4 + size
        if said == len(data):
            return None
        if whole_end(data, said, version, True) is not None:
            return said
    for at in range(at + 1, len(data) - 4):
        if data[at + 4] in TYPES and 5 <= size_at(data, at) <= len(data) - at - 4:
            if whole_end(data, at, version, True) is not None:
                return at
    return None


def find(data):
    version, _, _, at = read_header(data)
    while at is not None and at < len(data):
        end, healed = whole_end(data, at, version, False), False
        if end is None:
            end, healed = healed_end(data, at, version == 3), True
        if end is None:
            at = next_whole(data, at, version)
            continue
        yield {"offset": at, "length": end - at, "healed": healed}
        at = end


def main():
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            data = file.read()
        print(json.dumps({"file": path, "records": list(find(data))}))


if __name__ == "__main__":
    main()
