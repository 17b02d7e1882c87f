#!/usr/bin/env python3
"""The repair of damaged shards of a real 7.17.28, server down, beside the vendor's own tool
(elasticsearch-shard) on the same shards in the same run: time from start to exit, all syncs
included, peak memory, and the operations that each keeps.

    benches/one_shard.py PROGRAM [ROUNDS]        10 rounds, and one for the memory

A node of one shard, then one of 40: one run of the program beside 40 of the tool. They lie in a
temporary folder (TMPDIR) and are removed. Wanted: 100 times faster, and under 16 MiB.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from measured import Run, tell, tell_machine, tell_ratio
from real_node import RealNode, damage

VERSION = "es-7.17.28"


class Bench:
    """A node of one index with so many shards, each of them damaged."""

    def __init__(self, program, folder, shard_count):
        os.mkdir(folder)
        self.program, self.node = program, RealNode(VERSION, folder)
        self.shards = self.node.fill({"logs": shard_count})["logs"]
        for shard in self.shards:
            damage(shard)
        self.broken = self.node.path("broken")
        shutil.move(self.node.path("data"), self.broken)

    def restore(self):
        """The data as the server and the damage left them; nothing of earlier runs, all synced."""
        data = self.node.path("data")
        for path in (data, data + ".es-translog-fix", self.node.path("state")):
            shutil.rmtree(path, ignore_errors=True)
        subprocess.run(["cp", "-a", self.broken, data], check=True)
        os.mkdir(self.node.path("state"), mode=0o700)
        os.sync()

    def repair(self, measures_memory):
        self.restore()
        words = ["logs", "--yes", "--accept-data-loss", "--service", "none", "--config", self.node.path("config"), "--state-dir", self.node.path("state")]
        return Run([self.program, *words], (2,), measures_memory=measures_memory)

    def vendor(self, shard, measures_memory):
        return Run(self.node.vendor_tool(shard), measures_memory=measures_memory)

    def kept(self):
        """Operations that a start would replay."""
        words = ["check", "--data", self.node.path("data"), "--output", "json"]
        done = subprocess.run([self.program, *words], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
        return sum(shard["replayed_operations"] for shard in json.loads(done.stdout)["shards"])


def one(bench, rounds):
    ours, theirs, kept = [], [], []
    # The last round measures the memory.
    for measures_memory in [False] * rounds + [True]:
        ours.append(bench.repair(measures_memory))
        kept_ours = bench.kept()
        bench.restore()
        theirs.append(bench.vendor(bench.shards[0], measures_memory))
        kept.append((kept_ours, bench.kept()))
    print("one shard")
    tell("the program", ours[:-1])
    tell("elasticsearch-shard", theirs[:-1])
    tell_ratio("times as fast", ours[:-1], theirs[:-1])
    tell("the program, memory measured", ours[-1:])
    tell("elasticsearch-shard, memory measured", theirs[-1:])
    print(f"operations kept: {kept[0][0]} by the program, {kept[0][1]} by elasticsearch-shard")
    assert kept.count(kept[0]) == len(kept), kept


def many(bench):
    ours = bench.repair(True)
    kept_ours = bench.kept()
    bench.restore()
    seconds = sum(bench.vendor(shard, False).seconds for shard in bench.shards)
    count = len(bench.shards)
    print(f"{count} shards: one run beside {count}")
    tell("the program", [ours])
    print(f"elasticsearch-shard: {seconds:.1f} s in {count} runs")
    print(f"times as fast: {seconds / ours.seconds:.0f}")
    print(f"operations kept: {kept_ours} by the program, {bench.kept()} by elasticsearch-shard")


def main():
    program = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        tell_machine()
        one(Bench(program, os.path.join(folder, "one"), 1), rounds)
        many(Bench(program, os.path.join(folder, "many"), 40))


if __name__ == "__main__":
    main()
