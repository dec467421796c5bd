"""Read and describe mutated files, and tell what came of it.

    make fuzz FILES=10000                    many, in pieces; goes on where it was interrupted
    python tests/fuzz_reading.py FIRST COUNT   one piece, as one JSON line

Mutation number n is the same whenever it is made. A file may be answered, up to the vector that a
network gets, or refused by an InputError; anything else is a failure, and so are ten seconds, two
gigabytes, a program started, an object unpickled, a database opened. `test_cases.py` runs a few
hundred of them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from ase.build import bulk

from arise_lib.descriptor import SoapSettings, describe
from arise_lib.errors import InputError
from arise_lib.structures.checks import check_atoms, doubts
from arise_lib.structures.reading import read_frames

CASES = Path(__file__).parent / "data" / "cases"
SECONDS = 10  # of the processor: the machine may have other work
WAITING = 120  # by the clock
GIGABYTES = 2.0
PIECE = 250  # files of a process
KINDS = ("answered", "refused", "tracebacks", "too long", "forbidden")
FORBIDDEN = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "sqlite3")
EXTREME = (
    b"0 -1 1 2 1e9 1e308 -1e308 nan inf 999999999999 1e-300 100000000 1d5 * ? . _ 192 0x10".split()
)


class _TooLong(BaseException):
    """The time is over; no reader catches it."""


def _out_of_time(*_: Any) -> NoReturn:
    raise _TooLong


def mutation(number: int) -> tuple[str, bytes]:
    """Return name and content of a mutated file."""
    rng = np.random.default_rng([20260101, number])
    files = sorted(path for path in CASES.rglob("*") if path.is_file() and path.stat().st_size)
    path = files[rng.integers(len(files))]
    raw = bytearray(path.read_bytes())
    for _ in range(rng.integers(1, 3)):
        raw = bytearray(_mutated(raw, files, rng))
    name = path.name
    if rng.random() < 0.1:
        name = files[rng.integers(len(files))].name
    return name, bytes(raw)


def _mutated(raw: bytearray, files: list[Path], rng: np.random.Generator) -> bytes:
    """Change content in one of the ways in which files go wrong."""
    n = max(1, len(raw))
    a, b = sorted(rng.integers(0, n + 1, 2).tolist())
    kind = rng.integers(12)
    if kind == 0:  # cut
        return bytes(raw[:a])
    if kind == 1:  # a piece lost
        return bytes(raw[:a] + raw[min(b, a + 200) :])
    if kind == 2:  # a piece twice
        return bytes(raw[:b] + raw[a:])
    if kind == 3:  # bytes changed
        for i in rng.integers(0, n, 5):
            raw[i : i + 1] = rng.bytes(1)
        return bytes(raw)
    if kind == 4:  # two files in one
        return bytes(raw + files[rng.integers(len(files))].read_bytes())
    lines = bytes(raw).split(b"\n")
    i, j = rng.integers(0, len(lines), 2)
    if kind == 5:  # lines changed over
        lines[i], lines[j] = lines[j], lines[i]
    elif kind == 6:  # a line lost
        del lines[i]
    else:  # a word changed, as often as all else
        words = lines[i].split(b" ")
        words[rng.integers(len(words))] = EXTREME[rng.integers(len(EXTREME))]
        lines[i] = b" ".join(words)
    return b"\n".join(lines)


def outcome(path: Path) -> str:
    """Read, check and describe all frames; return "answered" or "refused"."""
    try:
        for _, atoms in read_frames(path):
            check_atoms(atoms)
            doubts(atoms)
            describe(atoms, SoapSettings())
    except InputError as error:
        message = str(error)
        if len(message) > 1200 or not message.isprintable():
            raise AssertionError("a message that is too long or holds control characters") from None
        return "refused"
    return "answered"


def piece(first: int, count: int, folder: Path) -> dict[str, Any]:
    """Read mutations in this process and return counts, failures and the peak of memory."""
    # Loaded before anything is timed or watched: compiled code is kept as pickles of our own.
    for periodic in (True, False):
        block = bulk("Cu", cubic=True) * 2
        block.pbc = periodic
        describe(block, SoapSettings())
    used: list[str] = []
    unpickled = "pickle.find_class"

    def audit(event: str, _: Any) -> None:
        if event.startswith((*FORBIDDEN, unpickled)):
            used.append(event)

    sys.addaudithook(audit)
    signal.signal(signal.SIGPROF, _out_of_time)
    signal.signal(signal.SIGALRM, _out_of_time)
    warnings.simplefilter("ignore")
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for number in range(first, first + count):
        name, raw = mutation(number)
        path = folder / name
        path.write_bytes(raw)
        used.clear()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.alarm(WAITING)
        message = ""
        try:
            found = outcome(path)
        except _TooLong:
            found = "too long"
        except Exception as error:
            found, message = "tracebacks", f"{type(error).__name__}: {str(error)[:200]}"
        finally:
            signal.alarm(0)
            signal.setitimer(signal.ITIMER_PROF, 0)
            path.unlink()
        if used:
            found, message = "forbidden", f"used {used[0]}"
        counts[found] += 1
        if found not in ("answered", "refused"):
            failures.append(f"mutation {number} of {name}: {message or found}")
    # Kilobytes on Linux, bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1e9 if sys.platform == "darwin" else 1e6
    )
    if peak > GIGABYTES:
        failures.append(f"{peak:.1f} GB of memory")
    return {"first": first, "counts": counts, "failures": failures, "gigabytes": round(peak, 3)}


def in_a_process(first: int, count: int) -> dict[str, Any]:
    """Read mutations in a process of their own: compiled code cannot be interrupted."""
    try:
        done = subprocess.run(
            [sys.executable, __file__, str(first), str(count)],
            capture_output=True,
            text=True,
            timeout=60 + SECONDS * count,
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    except subprocess.SubprocessError as error:
        last = str(getattr(error, "stderr", None) or error)[-2000:]
        failures = [f"mutations {first} to {first + count - 1}: {last}"]
        return {"first": first, "counts": {}, "failures": failures, "gigabytes": 0.0}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def many(count: int, record: Path) -> int:
    """Read the first `count` mutations in whole pieces, but none that stands in the record."""
    lines = record.read_text(encoding="utf-8").splitlines() if record.is_file() else []
    pieces = {found["first"]: found for found in map(json.loads, lines)}
    record.parent.mkdir(parents=True, exist_ok=True)
    total = Counter({kind: 0 for kind in KINDS})
    failures: list[str] = []
    peak = 0.0
    for first in range(0, count, PIECE):
        if first not in pieces:
            pieces[first] = in_a_process(first, PIECE)
            with record.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(pieces[first]) + "\n")
        total.update(pieces[first]["counts"])
        failures += pieces[first]["failures"]
        peak = max(peak, pieces[first]["gigabytes"])
        figures = ", ".join(f"{total[kind]:,} {kind}" for kind in KINDS)
        print(f"{first + PIECE:,} files: {figures}; at most {peak:.2f} GB", flush=True)
    print("\n".join(failures))
    return 1 if failures else 0


def main() -> int:
    """Read one piece, or many."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("count", type=int)
    parser.add_argument("--record", type=Path, help="read in pieces, and keep what came of them")
    options = parser.parse_args()
    if options.record:
        return many(options.count, options.record)
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(piece(options.first, options.count, Path(temporary))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
