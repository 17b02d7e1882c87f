"""Runs programs side by side and tells how long each took. Standard library only.

Each round runs every program once, so that all see the same machine; what is compared is the
ratio within a round. Beside the time that passed stands the processors' time: it says more where
other programs run on the machine. Peak memory needs GNU time.
"""
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

GNU_TIME = shutil.which("time")


class Run:
    """One run of a program: seconds, processor seconds, peak memory in MiB (or None), output. What
    measures the memory takes some milliseconds itself."""

    def __init__(self, command, codes=(0,), cwd=None, measures_memory=True):
        with tempfile.NamedTemporaryFile("r") as facts:
            with_memory = GNU_TIME and measures_memory
            words = [GNU_TIME, "-q", "-f", "%M", "-o", facts.name] + command if with_memory else command
            cpu_before = cpu_seconds()
            before = time.monotonic()
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd, stdin=subprocess.DEVNULL)
            self.seconds = time.monotonic() - before
            self.cpu_seconds = cpu_seconds() - cpu_before
            self.output = done.stdout.decode("utf-8", "replace")
            self.peak_mib = int(facts.read().split()[-1]) / 1024 if with_memory else None
        if done.returncode not in codes:
            raise SystemExit(f"{command} ended with {done.returncode}:\n{self.output[-2000:]}")


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def tell(name, runs):
    seconds = [run.seconds for run in runs]
    text = f"{name}: median {statistics.median(seconds):.3f} s ({min(seconds):.3f} to {max(seconds):.3f})"
    text += f", processors {statistics.median(run.cpu_seconds for run in runs):.3f} s"
    peaks = [run.peak_mib for run in runs if run.peak_mib is not None]
    print(text + (f", peak memory {max(peaks):.1f} MiB" if peaks else ""))


def tell_ratio(name, these, those):
    """`those` over `these`, round by round."""
    ratios = [those_run.seconds / this_run.seconds for this_run, those_run in zip(these, those)]
    cpu = statistics.median(b.cpu_seconds / max(a.cpu_seconds, 0.001) for a, b in zip(these, those))
    print(f"{name}: median {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), by processor time {cpu:.2f}")


def tell_machine():
    print(f"{os.cpu_count()} processors, load {' '.join('%.1f' % load for load in os.getloadavg())}")
