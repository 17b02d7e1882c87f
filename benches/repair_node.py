"""A folder with a node of one damaged shard, and the program's words for repairing it."""
import os
import shutil

import made_shard


class Node:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.data = os.path.join(folder, "data")
        for name in ("logs", "state"):
            os.makedirs(os.path.join(folder, name), mode=0o700)

    def add_shard(self, count, source_bytes):
        """The shard, with a hundred damaged bytes in its middle."""
        shard = made_shard.shard_folder(self.data, 0)
        path, length_bytes = made_shard.make_big_shard(shard, count, source_bytes)
        with open(path, "r+b") as file:
            file.seek(length_bytes // 2)
            file.write(b"\xff" * 100)
        lock = os.path.join(self.data, "nodes/0/node.lock")
        with open(lock, "ab"):
            pass
        return shard

    def repair(self):
        state, logs = os.path.join(self.folder, "state"), os.path.join(self.folder, "logs")
        words = ["--all", "--yes", "--accept-data-loss", "--keep", "valid", "--service", "none"]
        return [self.program, *words, "--data", self.data, "--logs", logs, "--state-dir", state, "--url", "http://127.0.0.1:19800"]

    def restore_from(self, copy):
        """The data as they were, from a copy; nothing of earlier runs."""
        for path in (self.data, self.data + ".es-translog-fix", os.path.join(self.folder, "state")):
            shutil.rmtree(path, ignore_errors=True)
        os.makedirs(os.path.join(self.folder, "state"), mode=0o700)
        shutil.copytree(copy, self.data, symlinks=True)
