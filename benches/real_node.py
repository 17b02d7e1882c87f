"""A node of a real server, composed by tests/nodes/servers/compose, with shards whose translogs are
damaged, and the vendor's own tool for them. Standard library only; root, Java and Maven."""
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

NOBODY = 65534
COMPOSE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/nodes/servers/compose")
START_SECONDS, STOP_SECONDS = 120, 60
FLUSHED, UNFLUSHED = 100, 400


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RealNode:
    def __init__(self, name, folder):
        self.folder, self.port = folder, free_port()
        self.server = os.path.join(folder, "server")
        distribution = subprocess.run([COMPOSE, name], stdout=subprocess.PIPE, check=True, timeout=600)
        shutil.copytree(distribution.stdout.decode().strip(), self.server)
        for part in ("data", "logs", "config", "scratch"):
            os.mkdir(os.path.join(folder, part))
        shutil.copy(os.path.join(self.server, "config/log4j2.properties"), os.path.join(folder, "config"))
        settings = {"cluster.name": "search", "node.name": "node-1", "path.data": self.path("data"), "path.logs": self.path("logs"),
                    "network.host": "127.0.0.1", "http.port": self.port, "transport.port": free_port(), "discovery.type": "single-node",
                    "cluster.routing.allocation.disk.threshold_enabled": "false", "cluster.max_shards_per_node": 1000}
        with open(self.path("config/elasticsearch.yml"), "w") as out:
            out.writelines(f"{key}: {value}\n" for key, value in settings.items())

    def path(self, name):
        return os.path.join(self.folder, name)

    def call(self, method, path, body=None, kind="application/json"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/{path}", method=method, data=body, headers={"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def fill(self, shard_counts):
        """An index for each count of shards, with documents in its commit and more behind it; the
        server is then killed."""
        for part in ("data", "logs", "config", "scratch"):
            for path in [self.path(part)] + glob.glob(self.path(part) + "/*"):
                os.chown(path, NOBODY, NOBODY)
        environment = dict(os.environ, ES_PATH_CONF=self.path("config"), ES_TMPDIR=self.path("scratch"))
        with open(self.path("console.txt"), "wb") as console:
            server = subprocess.Popen([self.server + "/bin/elasticsearch"], user=NOBODY, group=NOBODY, extra_groups=[], env=environment,
                                      stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        try:
            self.wait_until_up(server)
            for name, shard_count in shard_counts.items():
                settings = {"number_of_shards": shard_count, "number_of_replicas": 0, "index.translog.flush_threshold_size": "4gb"}
                self.call("PUT", name, json.dumps({"settings": settings}).encode())
                self.index(name, 0, FLUSHED * shard_count)
                self.call("POST", f"{name}/_flush")
                self.index(name, FLUSHED * shard_count, UNFLUSHED * shard_count)
            uuids = {name: self.call("GET", f"{name}/_settings")[name]["settings"]["index"]["uuid"] for name in shard_counts}
        finally:
            server.send_signal(signal.SIGKILL)
            server.wait(STOP_SECONDS)
        shard = self.path("data/nodes/0/indices/{}/{}").format
        return {name: [shard(uuids[name], number) for number in range(count)] for name, count in shard_counts.items()}

    def wait_until_up(self, server):
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and server.poll() is None:
            try:
                return self.call("GET", "_cluster/health?wait_for_status=green&timeout=20s")
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
        raise SystemExit(f"the server does not start; see {self.path('console.txt')}")

    def index(self, name, first, count):
        lines = [f'{{"index":{{"_id":"{number}"}}}}\n{{"n":{number},"text":"a line of some log, as long as most are"}}\n'
                 for number in range(first, first + count)]
        self.call("POST", f"{name}/_bulk", "".join(lines).encode(), "application/x-ndjson")

    def vendor_tool(self, shard):
        """The command of elasticsearch-shard for one shard, as the vendor's script starts it."""
        with open(self.server + "/bin/elasticsearch") as script:
            java = next(line.strip()[len("java="):] for line in script if line.startswith("java="))
        words = [java, "-Xms4m", "-Xmx64m", "-XX:+UseSerialGC", f"-Djava.io.tmpdir={self.path('scratch')}", f"-Des.path.home={self.server}",
                 f"-Des.path.conf={self.path('config')}", "-Des.distribution.flavor=oss", "-Des.distribution.type=tar", "-cp", self.server + "/lib/*",
                 "org.elasticsearch.index.shard.ShardToolCli", "remove-corrupted-data", "-d", shard + "/translog"]
        return ["sh", "-c", 'yes | "$@"', "sh"] + words


def damage(shard):
    """Two flipped bits in the middle of the newest translog: one record that no checksum repairs."""
    newest = max(glob.glob(shard + "/translog/*.tlog"), key=lambda path: int(path.rsplit("-", 1)[1].split(".")[0]))
    with open(newest, "r+b") as file:
        file.seek(os.path.getsize(newest) // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 0x06]))
