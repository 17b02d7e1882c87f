#!/usr/bin/env python3
"""The speed of `check` over one long translog beside `cat FILE > /dev/null`, page cache warm.

    benches/verify.py PROGRAM [DOCUMENTS [ROUNDS]]        4,000,000 documents of 1 KiB, 5 rounds

The data (4 GiB) are made in a temporary folder (TMPDIR) and removed. One thread means one
processor for both (`taskset -c 0`); wanted is 0.6 of the speed of cat with one, 0.9 with two.
"""
import sys
import tempfile

import made_shard
from measured import Run, tell, tell_machine, tell_ratio


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 4_000_000
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    with tempfile.TemporaryDirectory() as folder:
        path, length_bytes = made_shard.make_big_shard(made_shard.shard_folder(folder, 0), count, 1024)
        print(f"{count} documents, {length_bytes} bytes")
        pinned = ["taskset", "-c", "0"]
        cat = ["sh", "-c", 'exec cat "$0" > /dev/null', path]
        commands = {"cat": pinned + cat, "check, 1": pinned + [program, "check", folder], "check, 2": [program, "check", folder]}
        Run(cat)
        runs = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                runs[name].append(Run(command))
        assert f"{count} operations" in runs["check, 1"][0].output, runs["check, 1"][0].output
        tell_machine()
        for name, these in runs.items():
            tell(name, these)
        tell_ratio("speed of check on one processor, of cat's", runs["check, 1"], runs["cat"])
        tell_ratio("speed of check on all processors, of cat's", runs["check, 2"], runs["cat"])


if __name__ == "__main__":
    main()
