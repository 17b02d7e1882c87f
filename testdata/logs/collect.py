#!/usr/bin/env python3
"""Picks the examples of the signatures out of the logs of server runs.

    collect.py RUN...

A RUN is the folder of a server that was provoked: its logs in RUN/logs, and RUN/how.json, which
says {"version": "es-7.17.28", "how": {INDEX: WHAT WAS DONE TO IT, ..., "": to anything else}}; its
other folders (data, or what "data" in it says, config, server) become those of the packages. For each row of the
table the shortest record that yields it becomes NAME.log, and its line in README.md is renewed;
rows that no run yields stay as they are. The last words are the rows that are left.
"""
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parent.parent / "src/log/signature"
BYTES_MAX = 3000
# Servers of 2.0 to 5.0.1 keep so much of a message's end; of that, so much is kept here.
MESSAGE_CHARS_MAX = 10000
FRONT_CUT_CHARS = 600
HEAD = re.compile(r"^\[\d{4}-\d\d-\d\d[ T][\d:,]+\]\[([A-Z]+) *\]\[([^\]]+?) *\] ?")
FRAME = re.compile(r"^\s*(at |\.\.\. \d+ (more|common frames))")
SHARD = r"\[(?P<index>[^A-Z\s/\\*?\"<>|,#]{1,255}?)\]\[(?P<number>\d{1,9})\]"
NODE_WIDE = {"DiskFull", "OpenFiles", "LockHeld", "Permission", "Memory"}
EVENTS = [
    (r"version\[[0-9][^\]]*\], pid\[[-0-9]|\{[0-9][^}\s]*\}\[\d+\]: initialized", True),
    (r"(^|\] )(started|stopped)$|\] (started|stopped) \{|\]: started$", True),
    (r"recovered \[\d+\] indices into cluster_state", False),
    (r"Cluster health status changed from \[\w+\] to \[\w+\]", False),
]


def strings(text):
    return [json.loads(f'"{found}"') for found in re.findall(r'"((?:[^"\\]|\\.)*)"', text)]


def table():
    """The rows: name, class, words, the words beside them, the pattern."""
    rows = []
    string = r'"(?:[^"\\]|\\.)*"'
    for name in ("announcements", "causes", "signs"):
        text = (SOURCES / f"{name}.rs").read_text()
        row = re.compile(
            rf'signature!\(\s*"([\w-]+)",\s*([\w:()]+),\s*{string},\s*\[(.*?)\],\s*({string}),\s*(r?{string}),\s*{string}\)',
            re.S,
        )
        for found in row.finditer(text):
            pattern = found[5][2:-1] if found[5].startswith("r") else strings(found[5])[0]
            pattern = re.compile(pattern.replace("SHARD", SHARD)) if pattern else None
            words = strings(found[3])
            rows.append((found[1], found[2], words, strings(found[4])[0], pattern))
    return rows


class Table:
    """What src/log/signature.rs and src/log/effect.rs make of a record, in short."""

    def __init__(self):
        self.rows = table()
        self.announcing = [row for row in self.rows if row[1] == "FailedShard"]
        self.causes = [row for row in self.rows if row[1].startswith("Told(")]

    @staticmethod
    def places(row, text):
        for word in row[2]:
            at = text.find(word)
            while at >= 0:
                begin, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
                if row[3] in text[begin : end if end >= 0 else len(text)]:
                    yield at + len(word)
                at = text.find(word, at + 1)

    def announced(self, text):
        places = sorted((place, row[0]) for row in self.announcing for place in self.places(row, text))
        patterns = {row[0]: row[4] for row in self.announcing}
        for _, name in places:
            if found := patterns[name].search(text):
                return name, found["index"]
        return None

    def cause(self, *texts):
        for row in self.causes:
            if any(next(self.places(row, text), None) is not None for text in texts):
                return row[0], row[1][len("Told(Cause::") : -1]
        return None, "Unknown"

    def cause_of_failure(self, message, trace):
        before, past, rest = message.partition("unassigned_info[")
        if not past:
            return self.cause(message, trace)
        rest += "\n" + trace
        found = [rest.find(word) for word in (", message [", ", message=", ", reason [")]
        at = next((at for at in found if at >= 0), 0)
        return self.cause(before, rest[at:])

    def yields(self, record):
        """Names of the rows that a record is an example of."""
        lines = record.split("\n")
        head = HEAD.match(lines[0])
        message = lines[0][head.end() :]
        trace = "\n".join(line for line in lines[1:] if not FRAME.match(line))
        level, logger = head[1], head[2]
        if level in ("WARN", "ERROR"):
            if announced := self.announced(message) or self.announced(trace):
                names = {announced[0]}
                name, cause = self.cause(message, trace)
                if name and cause == self.cause_of_failure(message, trace)[1]:
                    names.add(name)
                return names
            name, cause = self.cause(message, trace)
            booting = "fatal exception while booting" in message + trace
            booting |= logger.endswith(".b.Bootstrap") or logger.endswith("bootstrap")
            if level == "ERROR" and booting:
                return {"boot-failed"} | ({name} if name else set())
            if cause in NODE_WIDE:
                return {name}
        names = set()
        for row in self.rows:
            if any(True for _ in self.places(row, record)):
                if row[1] == "Harmless":
                    names.add(row[0])
                if row[1] == "Sign" and level == "INFO":
                    is_node = re.fullmatch(r"node|o\.[eo]\.n\.Node", logger)
                    for pattern, of_node in EVENTS:
                        if re.search(pattern, message) and (is_node or not of_node):
                            names.add(row[0])
        return names


def records(path):
    record = []
    for line in path.read_text(errors="replace").split("\n"):
        if HEAD.match(line) and record:
            yield record
            record = []
        if record or HEAD.match(line):
            record.append(line)
    if record:
        yield record


def cut(lines):
    """A record without most of its frames: the first below each exception stays."""
    kept, is_first = [], True
    for line in lines:
        if not line.strip():
            continue
        if not FRAME.match(line):
            kept.append(line)
            is_first = True
        elif is_first:
            kept.append(line)
            is_first = False
    return kept


def short(lines):
    """The same without frames but the first one, and each exception's text only once."""
    frames = [line for line in lines if FRAME.match(line)][:1]
    kept, seen = [], set()
    for place, line in enumerate(lines):
        if FRAME.match(line):
            if line in frames and frames:
                kept.append(line)
                frames = []
        elif place < 2 or line not in seen:
            kept.append(line)
        seen.add(line)
    return kept


def only(lines, words):
    """The first line, and of those below it what has one of the words."""
    return lines[:1] + [line for line in lines[1:] if any(word in line for word in words)][:1]


def front_cut(lines):
    """A line that the server cut at its front loses more there, up to where a word begins."""
    head = HEAD.match(lines[0])
    rest = lines[0][-FRONT_CUT_CHARS:]
    return [lines[0][: head.end()] + rest[rest.find(" ") + 1 :]] + lines[1:]


def example(table, row, whole, is_front_cut):
    """The shortest form of a record that is still an example of a row."""
    lines = front_cut(whole) if is_front_cut else whole
    for form in (cut(lines), short(cut(lines)), only(lines, row[2])):
        text = "\n".join(form)
        if len(text.encode()) < BYTES_MAX and row[0] in table.yields(text):
            return text + "\n"
    return None


def renamed(text, run, about):
    """Folders of a run become those of the packages."""
    program = "opensearch" if about["version"].startswith("os-") else "elasticsearch"
    folders = {
        about.get("data", "data"): f"/var/lib/{program}",
        "logs": f"/var/log/{program}",
        "config": f"/etc/{program}",
        "server": f"/usr/share/{program}",
        "scratch": "/tmp",
    }
    for name, folder in folders.items():
        text = text.replace(f"{run}/{name}", folder)
    return text


def readme_rows(text):
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 4:
            rows[cells[0].strip("`")] = cells[1:]
    return rows


def of_run(table, run, best):
    """Takes what is shorter than the best so far."""
    about = json.loads((run / "how.json").read_text())
    version, how = about["version"], about["how"]
    for path in sorted((run / "logs").glob("*.log")):
        for record in records(path):
            head = HEAD.match(record[0])
            is_front_cut = head[1] != "INFO" and len(record[0]) - head.end() == MESSAGE_CHARS_MAX
            whole = renamed("\n".join(record), str(run), about)
            names = table.yields(whole.rstrip("\n"))
            for row in (row for row in table.rows if row[0] in names):
                text = example(table, row, whole.split("\n"), is_front_cut)
                if not text or row[0] in best and len(best[row[0]][0]) <= len(text):
                    continue
                if str(run) not in text:
                    best[row[0]] = (text, version, cause_of(how, text))


def cause_of(how, text):
    """What was done to the index that a record speaks of."""
    named = [(text.find(f"[{index}]["), index) for index in how if index and f"[{index}][" in text]
    return how[min(named)[1]] if named else how.get("", "any start")


def main(runs):
    table, best = Table(), {}
    for run in runs:
        of_run(table, Path(run).resolve(), best)
    readme = HERE / "README.md"
    text = readme.read_text()
    rows = readme_rows(text)
    for name, (record, version, how) in best.items():
        (HERE / f"{name}.log").write_text(record)
        rows[name] = [version, how, "real"]
    names = [row[0] for row in table.rows]
    lines = ["| row | server | how it was provoked | |", "|---|---|---|---|"]
    for name in names:
        lines.append(" | ".join([f"| `{name}`", *rows.get(name, ["", "", "composed"])]) + " |")
    front = text.split("| row |")[0]
    readme.write_text(front + "\n".join(lines) + "\n")
    left = [name for name in names if rows.get(name, [""] * 3)[2] != "real"]
    print(f"{len(best)} of {len(names)} rows; left: {' '.join(left) or 'none'}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
