#!/usr/bin/env python3
"""Makes a data path of many small shards of 7.x, written from the formats' description and not with
the program, and measures `check` beside `find -type f | wc -l` plus reading the same bytes.

    benches/many_shards.py PROGRAM FOLDER [COUNT]

FOLDER must not exist; it is left behind. Prints both times, their ratio, and the peak memory.
"""
import os
import resource
import struct
import subprocess
import sys
import time
import zlib

UUID = b"abcdefghijklmnopqrstuv"
OPERATIONS = 20


def text(value):
    return bytes([len(value)]) + value


def codec(name, version):
    return b"\x3f\xd7\x6c\x17" + text(name) + struct.pack(">i", version)


def footer(data):
    data += b"\xc0\x28\x93\xe8\0\0\0\0"
    return data + struct.pack(">Q", zlib.crc32(data))


def record(seq_no):
    source = b'{"n": %d, "message": "a line of some log, as long as most of them are"}' % seq_no
    body = b"\x02\x0a" + text(b"d%06d" % seq_no) + text(b"_doc") + text(source) + b"\0"
    body += struct.pack(">qqqq", 1, -1, seq_no, 1)
    return struct.pack(">i", len(body) + 4) + body + struct.pack(">I", zlib.crc32(body))


def commit():
    pairs = [(b"translog_uuid", UUID), (b"history_uuid", UUID), (b"local_checkpoint", b"-1"), (b"max_seq_no", b"-1")]
    data = codec(b"segments", 10) + b"\7" * 16 + text(b"2") + bytes([8, 11, 3, 8])
    data += struct.pack(">q", 2) + b"\0" + struct.pack(">i", 0) + bytes([len(pairs)])
    return footer(data + b"".join(text(key) + text(value) for key, value in pairs))


def translog():
    data = codec(b"translog", 3) + struct.pack(">i", len(UUID)) + UUID + struct.pack(">q", 1)
    data += struct.pack(">I", zlib.crc32(data))
    return data + b"".join(record(seq_no) for seq_no in range(OPERATIONS))


def checkpoint(length):
    fields = struct.pack(">qiqqqqqq", length, OPERATIONS, 1, 0, OPERATIONS - 1, OPERATIONS - 1, 1, -2)
    return footer(codec(b"ckp", 3) + fields)


def make(folder, count):
    log = translog()
    files = {
        "index/segments_2": commit(),
        "index/write.lock": b"",
        "translog/translog-1.tlog": log,
        "translog/translog.ckp": checkpoint(len(log)),
    }
    for number in range(count):
        shard = os.path.join(folder, "nodes/0/indices", "%022d" % (number // 5), str(number % 5))
        for name in ("index", "translog"):
            os.makedirs(os.path.join(shard, name))
        for name, content in files.items():
            with open(os.path.join(shard, name), "wb") as out:
                out.write(content)


def timed(command):
    before = time.monotonic()
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - before


def main():
    program, folder = sys.argv[1], sys.argv[2]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 10_000
    os.makedirs(folder)
    make(folder, count)
    shell = 'find "$0" -type f | wc -l; find "$0" -type f -print0 | xargs -0 cat > /dev/null'
    timed(["sh", "-c", shell, folder])
    reading = min(timed(["sh", "-c", shell, folder]) for _ in range(3))
    peak_before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    checking = min(timed([program, "check", folder]) for _ in range(3))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"{count} shards: find and read {reading:.3f} s, check {checking:.3f} s, ratio {checking / reading:.2f}")
    note = "" if peak > peak_before else " or less (another program of this script had more)"
    print(f"peak memory of check: {peak / 1024:.1f} MiB{note}")


if __name__ == "__main__":
    main()
