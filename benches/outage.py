#!/usr/bin/env python3
"""What the whole job takes beside the server's own stop and start: one damaged shard, a thousand of
which a few are damaged, and a thousand damaged ones.

    benches/outage.py PROGRAM [ROUNDS]           3 rounds

The service and the cluster are played: a service command that takes its time to stop and to start
and writes down how long that was, and an API that says every shard has started as soon as it has.
What the run takes beyond these two is the program's own. Wanted: under 1 s for one shard and under
5 s for 1,000. The node lies in a temporary folder (TMPDIR) and is removed. Standard library only.
"""
import http.server
import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
import urllib.parse

import made_shard
from measured import Run, tell_machine

OPERATIONS, SOURCE_BYTES = 20, 200
STOP_SECONDS, START_SECONDS = 1.0, 2.0
# Shards of the node, those of them that are damaged, and the seconds that it may take.
CASES = [(1, 1, 1), (1000, 10, 5), (1000, 1000, 5)]
SERVICE = """#!/usr/bin/env python3
import os, sys, time
folder, word = os.path.dirname(os.path.abspath(__file__)), sys.argv[1]
up = os.path.join(folder, "up")
if word == "status":
    sys.exit(0 if os.path.exists(up) else 3)
began = time.monotonic()
if word == "stop":
    time.sleep({stop})
    if os.path.exists(up):
        os.remove(up)
else:
    time.sleep({start})
    open(up, "w").close()
with open(os.path.join(folder, "took"), "a") as out:
    out.write(f"{{time.monotonic() - began}}\\n")
"""


class Api(http.server.BaseHTTPRequestHandler):
    """A cluster of this one node: while it is up, every shard of it has started."""

    folder, indices = "", {}
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if not os.path.exists(os.path.join(self.folder, "up")):
            return self.answer(503, {"error": "no master"})
        if path.startswith("/_cluster/state/routing_table"):
            return self.answer(200, {"routing_table": {"indices": {name: {"shards": shards} for name, shards in self.indices.items()}}})
        if path.startswith("/_cluster/state/metadata"):
            return self.answer(200, {})
        if path.startswith("/_nodes"):
            return self.answer(200, {"nodes": {"n1": {"name": "node-1"}}})
        if path.startswith("/_cluster/health"):
            return self.answer(200, {"status": "green", "number_of_nodes": 1, "number_of_data_nodes": 1, "timed_out": False})
        if path.startswith("/_recovery"):
            return self.answer(200, {})
        return self.answer(404, {"error": "no such path"})

    do_POST = do_GET

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Outage:
    def __init__(self, program, folder, shard_count, damaged_count, port):
        self.program, self.folder, self.port = program, folder, port
        self.broken = os.path.join(folder, "broken")
        indices = {}
        for number in range(shard_count):
            shard = made_shard.shard_folder(self.broken, number)
            path, length_bytes = made_shard.make_big_shard(shard, OPERATIONS, SOURCE_BYTES)
            if number < damaged_count:
                with open(path, "r+b") as file:
                    file.seek(length_bytes // 2)
                    file.write(b"\xff" * 40)
            name, of_index = shard.split("/")[-2:]
            copy = {"state": "STARTED", "primary": True, "node": "n1", "allocation_id": {"id": "a"}}
            indices.setdefault(name, {})[of_index] = [copy]
        open(os.path.join(self.broken, "nodes/0/node.lock"), "w").close()
        Api.indices = indices

    def run(self, number):
        """The seconds of the run, and those of the server's stop and start in it. Every run has a
        folder of its own, and none is removed before the last has ended: ext4 without a journal
        looks through what was removed for each file that it makes."""
        folder = os.path.join(self.folder, f"run-{number}")
        data, service = os.path.join(folder, "data"), os.path.join(folder, "service")
        for name in ("", "logs"):
            os.mkdir(os.path.join(folder, name))
        os.mkdir(os.path.join(folder, "state"), mode=0o700)
        shutil.copytree(self.broken, data)
        with open(service, "w") as out:
            out.write(SERVICE.format(stop=STOP_SECONDS, start=START_SECONDS))
        os.chmod(service, 0o755)
        for name in ("up", "took"):
            open(os.path.join(folder, name), "w").close()
        Api.folder = folder
        os.sync()
        run = Run([self.program, "--all", "--yes", "--accept-data-loss", "--service-command", service, "--data", data,
                   "--logs", os.path.join(folder, "logs"), "--state-dir", os.path.join(folder, "state"),
                   "--url", f"http://127.0.0.1:{self.port}"], (1,))
        with open(os.path.join(folder, "took")) as took:
            return run, sum(float(line) for line in took)


def main():
    program = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    tell_machine()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for case, (shard_count, damaged_count, wanted_seconds) in enumerate(CASES):
            of_case = os.path.join(folder, str(case))
            os.mkdir(of_case)
            outage = Outage(program, of_case, shard_count, damaged_count, server.server_port)
            own, servers, peaks = [], [], []
            for number in range(rounds):
                run, server_seconds = outage.run(number)
                own.append(run.seconds - server_seconds)
                servers.append(server_seconds)
                peaks.append(run.peak_mib or 0)
            median = statistics.median(own)
            print(f"{damaged_count} of {shard_count} shards damaged: the program's own {median:.2f} s ({min(own):.2f} to {max(own):.2f}), wanted under "
                  f"{wanted_seconds} s; the server's stop and start {statistics.median(servers):.2f} s; peak memory {max(peaks):.1f} MiB")
    server.shutdown()


if __name__ == "__main__":
    main()
