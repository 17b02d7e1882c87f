#!/usr/bin/env python3
"""The time of a repair of one long shard beside `cp` of its files, both synced, page cache warm.

    benches/big_repair.py PROGRAM [DOCUMENTS [ROUNDS]]        2,000,000 documents, 5 rounds

The shard (2 GiB of translog) is damaged in its middle and repaired at `valid`. The data are made in
a temporary folder (TMPDIR) and removed. Wanted: at most twice the time of cp, in constant memory.
"""
import os
import shutil
import sys
import tempfile

from measured import Run, tell, tell_machine, tell_ratio
from repair_node import Node


def main():
    program = os.path.abspath(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000_000
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    with tempfile.TemporaryDirectory() as folder:
        node = Node(program, os.path.join(folder, "node"))
        shard = node.add_shard(count, 950)
        sound, copy = os.path.join(folder, "sound"), os.path.join(folder, "copy")
        shutil.copytree(node.data, sound)
        copies, repairs = [], []
        for _ in range(rounds):
            node.restore_from(sound)
            os.sync()
            command = ["sh", "-c", 'cp -a "$0" "$1" && sync "$1"/*/* "$1"/* "$1"', shard, copy]
            copies.append(Run(command))
            shutil.rmtree(copy)
            os.sync()
            repairs.append(Run(node.repair(), codes=(0, 2)))
            assert f"keeps {count - 2} operations" in repairs[-1].output, repairs[-1].output
        tell_machine()
        tell("cp and sync", copies)
        tell("repair at valid", repairs)
        tell_ratio("time of the repair, of cp's", copies, repairs)


if __name__ == "__main__":
    main()
