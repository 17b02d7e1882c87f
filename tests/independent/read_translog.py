#!/usr/bin/env python3
"""Lists what is in translog folders and the commits beside them, as JSON lines.

    read_translog.py FOLDER...        FOLDER is the `translog` folder of a shard

An independent reader: standard library only, written from the description of the formats
(docs/FORMATS.md) and not from the Rust code, so that a test can hold the two against each other.
Lines are of five kinds: "header", "operation", "stop" (where reading ends, and whether that is
the end of the file), "checkpoint" and "commit".
"""

import base64
import json
import os
import re
import struct
import sys
import zlib

CODEC_MAGIC = b"\x3f\xd7\x6c\x17"
FOOTER_MAGIC = b"\xc0\x28\x93\xe8"


class Bad(Exception):
    """The bytes are not what the format says."""


class Reader:
    """Fields of an operation, as StreamInput reads them."""

    def __init__(self, data, at, end):
        self.data, self.at, self.end = data, at, end

    def take(self, length):
        if self.at + length > self.end:
            raise Bad("end")
        self.at += length
        return self.data[self.at - length : self.at]

    def byte(self):
        return self.take(1)[0]

    def long(self):
        return struct.unpack(">q", self.take(8))[0]

    def vint(self):
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if value >> 32:
                raise Bad("vint")
            if not byte & 0x80:
                return value
        raise Bad("vint")

    def string(self):
        count = self.vint()
        if count > self.end - self.at:
            raise Bad("string")
        units = []
        for _ in range(count):
            first = self.byte()
            if first < 0x80:
                units.append(first)
                continue
            if 0xC0 <= first <= 0xDF:
                more, unit = 1, first & 0x1F
            elif 0xE0 <= first <= 0xEF:
                more, unit = 2, first & 0x0F
            else:
                raise Bad("string")
            for _ in range(more):
                byte = self.byte()
                if byte & 0xC0 != 0x80:
                    raise Bad("string")
                unit = unit << 6 | byte & 0x3F
            units.append(unit)
        return b"".join(struct.pack("<H", unit) for unit in units).decode("utf-16-le", "replace")

    def optional(self):
        flag = self.byte()
        if flag > 1:
            raise Bad("bool")
        return self.string() if flag else None

    def bytes(self):
        return self.take(self.vint())

    def strings(self):
        return [self.string() for _ in range(self.vint())]

    def version_type(self):
        if self.byte() > 3:
            raise Bad("version type")


def decode_uid(uid):
    if uid[:1] == b"\xfe":
        return uid[1:].hex().split("f")[0]
    if uid[:1] == b"\xff":
        return uid[1:].decode("utf-8", "replace")
    raw = uid[1:] if uid[:1] == b"\xfd" else uid
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def index(reader, kind):
    op = {"kind": kind, "format": reader.vint()}
    f = op["format"]
    if f > 12:
        raise Bad("format")
    if f == 12:
        op["version"], op["seq_no"], op["term"] = reader.long(), reader.long(), reader.long()
        reader.long()
        op["id"] = decode_uid(reader.bytes())
        reader.optional()
        reader.bytes()
        return op
    op["id"] = reader.string()
    if f < 11:
        op["type"] = reader.string()
    reader.bytes()
    if f >= 1:
        reader.optional()
    if 2 <= f <= 8:
        reader.optional()
    if f >= 3:
        op["version"] = reader.long()
    if 4 <= f <= 7:
        reader.long()
    if 5 <= f <= 7:
        reader.long()
    if 6 <= f <= 9:
        reader.version_type()
    if f >= 7:
        reader.long()
    if f >= 8:
        op["seq_no"], op["term"] = reader.long(), reader.long()
    return op


def delete(reader):
    op = {"kind": "delete", "format": reader.vint()}
    f = op["format"]
    if f > 8:
        raise Bad("format")
    if 3 <= f <= 6:
        op["type"] = reader.string()
    if 3 <= f <= 7:
        op["id"] = reader.string()
    if f <= 6:
        reader.string()
        if f >= 4:
            reader.bytes()
        else:
            text = reader.string()
            if f < 3:
                doc_type, mark, rest = text.partition("#")
                op["id"] = rest if mark else text
                if mark and doc_type:
                    op["type"] = doc_type
    if f >= 1:
        op["version"] = reader.long()
    if 2 <= f <= 5:
        reader.version_type()
    if f >= 4:
        op["seq_no"], op["term"] = reader.long(), reader.long()
    if f == 8:
        op["id"] = decode_uid(reader.bytes())
    return op


def no_op(reader):
    op = {"kind": "no-op", "format": 0, "seq_no": reader.long(), "term": reader.long()}
    reader.string()
    return op


def delete_by_query(reader):
    op = {"kind": "delete-by-query", "format": reader.vint()}
    if op["format"] > 2:
        raise Bad("format")
    reader.bytes()
    if op["format"] < 2:
        reader.optional()
    reader.strings()
    if op["format"] >= 1:
        reader.strings()
    return op


def operation(reader, numbered):
    """`numbered`: written by 6.0 or later, where type 4 is a no-op."""
    kind = reader.byte()
    if kind in (1, 2):
        return index(reader, "create" if kind == 1 else "index")
    if kind == 3:
        return delete(reader)
    if kind == 4:
        return no_op(reader) if numbered else delete_by_query(reader)
    raise Bad("type")


def read_header(data):
    """(version or 0, uuid, term, length)"""
    if not data or data[0] == 0:
        return 0, None, None, 0
    if data[:13] != CODEC_MAGIC + b"\x08translog" or len(data) < 17:
        raise Bad("header")
    version = struct.unpack(">i", data[13:17])[0]
    if version == 1:
        return 1, None, None, 17
    if version not in (2, 3) or len(data) < 21:
        raise Bad("header")
    count = struct.unpack(">i", data[17:21])[0]
    if not 0 < count <= 256 or len(data) < 21 + count:
        raise Bad("header")
    uuid = data[21 : 21 + count].decode("ascii", "replace")
    if version == 2:
        return 2, uuid, None, 21 + count
    end = 29 + count
    if len(data) < end + 4 or zlib.crc32(data[:end]) != struct.unpack(">I", data[end : end + 4])[0]:
        raise Bad("header")
    return 3, uuid, struct.unpack(">q", data[21 + count : end])[0], end + 4


def record(data, at, version, numbered):
    """(operation, end of the record, whether its CRC holds: None where there is none)"""
    if at + 4 > len(data):
        raise Bad("size")
    size = struct.unpack(">I", data[at : at + 4])[0]
    body = at + 4
    if version >= 2:
        if not 5 <= size <= 0x7FFFFFFF or body + size > len(data):
            raise Bad("size")
        end = body + size - 4
        if zlib.crc32(data[body:end]) != struct.unpack(">I", data[end : end + 4])[0]:
            raise Bad("crc")
        reader = Reader(data, body, end)
        op = operation(reader, numbered)
        if reader.at != end:
            raise Bad("left over")
        return op, end + 4, True
    # Up to 1.7 the size is not read: the fields lead to the next record.
    reader = Reader(data, body, len(data))
    op = operation(reader, False)
    if version == 0:
        return op, reader.at, None
    stored = reader.at
    if zlib.crc32(data[body:stored]) != struct.unpack(">I", reader.take(4))[0]:
        raise Bad("crc")
    return op, reader.at, True


def read_stream(name, data, numbered):
    try:
        version, uuid, term, at = read_header(data)
    except Bad:
        yield {"line": "stop", "file": name, "offset": 0, "whole": False}
        return
    numbered = numbered or version == 3
    yield {"line": "header", "file": name, "version": version, "uuid": uuid, "term": term}
    while at < len(data):
        try:
            op, end, crc_ok = record(data, at, version, numbered)
        except (Bad, struct.error):
            break
        line = {"line": "operation", "file": name, "offset": at, "length": end - at, "crc_ok": crc_ok}
        for key in ("kind", "format", "id", "type", "version", "seq_no", "term"):
            line[key] = op.get(key)
        yield line
        at = end
    yield {"line": "stop", "file": name, "offset": at, "whole": at == len(data)}


def read_checkpoint(name, data):
    line = {"line": "checkpoint", "file": name, "version": None}
    names = ["offset", "operation_count", "generation"]
    more = ["min_seq_no", "max_seq_no", "global_checkpoint", "min_translog_generation"]
    if len(data) in (20, 21) and data[:8] != CODEC_MAGIC + b"\x03ckp":
        line.update(version=0, **dict(zip(names, struct.unpack(">qiq", data[:20]))))
        return line
    crc_at = len(data) - 8
    if data[:8] != CODEC_MAGIC + b"\x03ckp" or len(data) < 28:
        return line
    if data[-16:-8] != FOOTER_MAGIC + bytes(4):
        return line
    if zlib.crc32(data[:crc_at]) != struct.unpack(">Q", data[crc_at:])[0]:
        return line
    version = struct.unpack(">i", data[8:12])[0]
    if {1: 48, 2: 80, 3: 88, 4: 88}.get(version) != len(data):
        return line
    shape = {1: "qiq", 2: "qiqqqqq", 3: "qiqqqqqq", 4: "qiqqqqqq"}[version]
    values = struct.unpack(("<" if version == 4 else ">") + shape, data[12:-16])
    line.update(version=version, **dict(zip(names + more + ["trimmed_above_seq_no"], values)))
    return line


class Lucene(Reader):
    """Fields of a commit, as Lucene's DataInput reads them."""

    def int(self):
        return struct.unpack(">i", self.take(4))[0]

    def string(self):
        return self.take(self.vint()).decode("utf-8")

    def vlong(self):
        while self.byte() & 0x80:
            pass

    def map(self, vint):
        count = self.vint() if vint else self.int()
        return {self.string(): self.string() for _ in range(count)}

    def set(self, vint):
        return [self.string() for _ in range(self.vint() if vint else self.int())]


def commit_3(reader):
    reader.take(12)
    names = []
    for _ in range(reader.int()):
        reader.string()
        names.append(reader.string())
        reader.take(12)
        if reader.int() != -1:
            reader.string()
            reader.take(1)
        reader.take(1)
        norms = reader.int()
        if norms != -1:
            reader.take(8 * norms)
        reader.take(6)
        reader.map(False)
        reader.take(1)
    return names, reader.map(False)


def commit_4(reader, f):
    if f >= 4:
        reader.take(16)
        reader.take(reader.byte())
    if f >= 6:
        reader.vint(), reader.vint(), reader.vint()
    if f >= 7:
        reader.vint()
    reader.take(8)
    if f >= 8:
        reader.vlong()
    else:
        reader.take(4)
    count = reader.int()
    if f >= 6 and count:
        reader.vint(), reader.vint(), reader.vint()
    names = []
    for _ in range(count):
        names.append(reader.string())
        if f >= 7 or (f >= 4 and reader.byte()):
            reader.take(16)
        reader.string()
        reader.take(12 + (8 if f >= 1 else 0) + (8 if f >= 3 else 0) + (4 if f >= 9 else 0))
        if f >= 10 and reader.byte():
            reader.take(16)
        if f in (1, 2):
            for _ in range(reader.int()):
                reader.take(8)
                reader.set(False)
        if f >= 3:
            reader.set(f >= 5)
            for _ in range(reader.int()):
                reader.take(4)
                reader.set(f >= 5)
    return names, reader.map(f >= 5)


def read_commit(name, data):
    line = {"line": "commit", "file": name, "format": None}
    try:
        reader = Lucene(data, 0, len(data) - 8)
        if zlib.crc32(data[:-8]) != struct.unpack(">Q", data[-8:])[0]:
            return line
        if reader.take(4) == CODEC_MAGIC:
            if reader.string() != "segments":
                return line
            f = reader.int()
            names, user_data = commit_4(reader, f)
            if f >= 2 and reader.take(8) != FOOTER_MAGIC + bytes(4):
                return line
        else:
            f = struct.unpack(">i", data[:4])[0]
            if f != -11:
                return line
            names, user_data = commit_3(reader)
        if reader.at != reader.end:
            return line
    except (Bad, struct.error, UnicodeDecodeError):
        return line
    line.update(format=f, segments=names, user_data=user_data)
    return line


def read_shard(folder):
    files = sorted(os.listdir(folder))
    data = {}
    for name in files:
        with open(os.path.join(folder, name), "rb") as file:
            data[name] = file.read()
    checkpoints = [read_checkpoint(name, data[name]) for name in files if name.endswith(".ckp")]
    numbered = any((line["version"] or 0) >= 2 for line in checkpoints)
    for name in files:
        if re.fullmatch(r"translog-\d+(\.tlog|\.recovering)?", name):
            yield from read_stream(name, data[name], numbered)
    yield from checkpoints
    commits = os.path.join(os.path.dirname(os.path.abspath(folder)), "index")
    for name in sorted(os.listdir(commits)) if os.path.isdir(commits) else []:
        if re.fullmatch(r"segments_[0-9a-z]+", name):
            with open(os.path.join(commits, name), "rb") as file:
                yield read_commit(name, file.read())


def main():
    for folder in sys.argv[1:]:
        for line in read_shard(folder):
            print(json.dumps(dict(line, folder=folder)))


if __name__ == "__main__":
    main()
