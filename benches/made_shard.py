"""Shards of 7.x made for the benchmarks, always the same bytes for the same numbers, written from
the formats' description (docs/FORMATS.md) and not with the program. Standard library only."""
import os
import struct
import zlib

UUID = b"abcdefghijklmnopqrstuv"
HEADER_BYTES = 55
FLUSH_RECORDS = 4096


def vint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(0x80 | number & 0x7F)
        number >>= 7
    out.append(number)
    return bytes(out)


def text(value):
    return vint(len(value)) + value


def codec(name, version):
    return b"\x3f\xd7\x6c\x17" + text(name) + struct.pack(">i", version)


def footer(data):
    data += b"\xc0\x28\x93\xe8\0\0\0\0"
    return data + struct.pack(">Q", zlib.crc32(data))


def header():
    data = codec(b"translog", 3) + struct.pack(">i", len(UUID)) + UUID + struct.pack(">q", 1)
    return data + struct.pack(">I", zlib.crc32(data))


def record(seq_no, source):
    """An INDEX of format 10."""
    body = b"\x02\x0a" + text(b"d%08d" % seq_no) + text(b"_doc") + text(source) + b"\0"
    body += struct.pack(">qqqq", 1, -1, seq_no, 1)
    return struct.pack(">i", len(body) + 4) + body + struct.pack(">I", zlib.crc32(body))


def source_of(seq_no, length_bytes):
    """A JSON document of this length, other words in each."""
    start = b'{"n":%d,"message":"' % seq_no
    word = b"%x a line of some log, as long as most of them are; " % (seq_no * 2654435761)
    filler = word * (length_bytes // len(word) + 1)
    return start + filler[: max(0, length_bytes - len(start) - 2)] + b'"}'


def commit():
    pairs = [(b"translog_uuid", UUID), (b"history_uuid", UUID), (b"local_checkpoint", b"-1"), (b"max_seq_no", b"-1")]
    data = codec(b"segments", 10) + b"\7" * 16 + text(b"2") + bytes([8, 11, 3, 8])
    data += struct.pack(">q", 2) + b"\0" + struct.pack(">i", 0) + bytes([len(pairs)])
    return footer(data + b"".join(text(key) + text(value) for key, value in pairs))


def checkpoint(length_bytes, count):
    fields = struct.pack(">qiqqqqqq", length_bytes, count, 1, 0, count - 1, count - 1, 1, -2)
    return footer(codec(b"ckp", 3) + fields)


def write(path, data):
    with open(path, "wb") as out:
        out.write(data)


def shard_folder(data_path, number):
    """Five shards an index, as a node of 7.x lays them out."""
    return os.path.join(data_path, "nodes/0/indices", "%022d" % (number // 5), str(number % 5))


def make_folders(shard):
    for name in ("index", "translog"):
        os.makedirs(os.path.join(shard, name))


def make_big_shard(shard, count, source_bytes):
    """One generation of `count` documents; gives the translog's path and its length."""
    make_folders(shard)
    path = os.path.join(shard, "translog/translog-1.tlog")
    with open(path, "wb") as out:
        out.write(header())
        for first in range(0, count, FLUSH_RECORDS):
            numbers = range(first, min(count, first + FLUSH_RECORDS))
            out.write(b"".join(record(number, source_of(number, source_bytes)) for number in numbers))
        length_bytes = out.tell()
    write(os.path.join(shard, "translog/translog.ckp"), checkpoint(length_bytes, count))
    write(os.path.join(shard, "index/segments_2"), commit())
    write(os.path.join(shard, "index/write.lock"), b"")
    return path, length_bytes
