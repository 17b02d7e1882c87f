#!/usr/bin/env python3
"""The repair of damaged shards of a real 7.17.28, server down, beside the vendor's own tool
(elasticsearch-shard) on the same shards in the same run: time from start to exit, all syncs
included, peak memory, and the operations that each keeps.

    benches/one_shard.py PROGRAM [ROUNDS]        10 rounds; the 40 shards in one of them

One shard each, then 40 shards: one run of the program beside 40 of the tool. The node lies in a
temporary folder (TMPDIR) and is removed. Wanted: 100 times faster, and under 16 MiB.
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
    def __init__(self, program, folder):
        self.program, self.node = program, RealNode(VERSION, folder)
        self.shards = self.node.fill({"one": 1, "many": 40})
        for shard in self.shards["one"] + self.shards["many"]:
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

    def repair(self, *targets):
        self.restore()
        words = ["--yes", "--accept-data-loss", "--service", "none", "--config", self.node.path("config"), "--state-dir", self.node.path("state")]
        return Run([self.program, *targets, *words], codes=(2,))

    def vendor(self, shard):
        return Run(self.node.vendor_tool(shard))

    def kept(self, name):
        """Operations that a start would replay, by shards of an index."""
        words = ["check", "--data", self.node.path("data"), "--output", "json"]
        done = subprocess.run([self.program, *words], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
        shards = json.loads(done.stdout)["shards"]
        return sum(shard["replayed_operations"] for shard in shards if shard["index"] == name)


def one(bench, rounds):
    ours, theirs, kept = [], [], []
    for _ in range(rounds):
        ours.append(bench.repair("one/0"))
        kept_ours = bench.kept("one")
        bench.restore()
        theirs.append(bench.vendor(bench.shards["one"][0]))
        kept.append((kept_ours, bench.kept("one")))
    print("one shard")
    tell("the program", ours)
    tell("elasticsearch-shard", theirs)
    tell_ratio("times as fast", ours, theirs)
    print(f"operations kept: {kept[0][0]} by the program, {kept[0][1]} by elasticsearch-shard")
    assert kept.count(kept[0]) == rounds, kept


def many(bench):
    ours = bench.repair("many")
    kept_ours = bench.kept("many")
    bench.restore()
    theirs = [bench.vendor(shard) for shard in bench.shards["many"]]
    seconds = sum(run.seconds for run in theirs)
    print("40 shards: one run beside 40")
    tell("the program", [ours])
    print(f"elasticsearch-shard: {seconds:.1f} s in {len(theirs)} runs")
    print(f"times as fast: {seconds / ours.seconds:.0f}")
    print(f"operations kept: {kept_ours} by the program, {bench.kept('many')} by elasticsearch-shard")


def main():
    program = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        bench = Bench(program, folder)
        tell_machine()
        one(bench, rounds)
        many(bench)


if __name__ == "__main__":
    main()
