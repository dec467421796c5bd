"""Read mutated files in a process of its own and tell what came of it, as one JSON line.

    python tests/fuzz_reading.py FIRST COUNT

Mutation number n is the same whenever it is made. A reader may answer or raise an InputError;
anything else is a failure, and so are ten seconds, two gigabytes, a program started, an object
unpickled, a database opened.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from arise_lib.errors import InputError
from arise_lib.structures.reading import read_frames

CASES = Path(__file__).parent / "data" / "cases"
SECONDS = 10  # of the processor: the machine may have other work
WAITING = 120  # by the clock
GIGABYTES = 2.0
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
    """Read all frames; return "read" or "refused"."""
    try:
        for _ in read_frames(path):
            pass
    except InputError as error:
        message = str(error)
        if len(message) > 1200 or not message.isprintable():
            raise AssertionError("a message that is too long or holds control characters") from None
        return "refused"
    return "read"


def main(first: int, count: int, folder: Path) -> dict[str, Any]:
    """Read mutations and return counts and failures."""
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
        try:
            found = outcome(path)
        except _TooLong:
            found = "too long"
        except Exception as error:
            found = f"{type(error).__name__}: {str(error)[:200]}"
        finally:
            signal.alarm(0)
            signal.setitimer(signal.ITIMER_PROF, 0)
            path.unlink()
        if used:
            found = f"used {used[0]}"
        counts[found if found in ("read", "refused") else "failed"] += 1
        if found not in ("read", "refused"):
            failures.append(f"mutation {number} of {name}: {found}")
    # Kilobytes on Linux, bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1e9 if sys.platform == "darwin" else 1e6
    )
    if peak > GIGABYTES:
        failures.append(f"{peak:.1f} GB of memory")
    return {"counts": counts, "failures": failures}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), Path(temporary))))
