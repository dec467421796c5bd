"""Run notebooks under several kernels of OpenBLAS and compare all that they print and write.

    .venv/bin/python tools/compare_kernels.py 00 05 07 --kernels Haswell Nehalem

A rounded number that stands at an edge of rounding shows here: it changes with the kernel, as it
would on another processor. What notebooks print must not; tables and results, written with six
digits, may change in the last of them. Each kernel gets a copy of the checkout, with empty caches.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def sanitised(text: str) -> str:
    """Replace what differs between two runs by construction, as nbval does."""
    rules = (ROOT / "tests" / "nbval_sanitize.cfg").read_text()
    for pattern, new in re.findall(r"^regex: (.+)\nreplace: (.*)$", rules, re.MULTILINE):
        text = re.sub(pattern, new, text)
    return text


def copy(folder: Path) -> None:
    """Copy what git tracks, or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def run(folder: Path, kernel: str, numbers: list[str]) -> None:
    """Run notebooks in a copy."""
    subprocess.run(
        [sys.executable, "-m", "arise_lib", "reproduce", "--store", "--only", *numbers],
        cwd=folder,
        env=os.environ | {"OPENBLAS_CORETYPE": kernel, "PYTHONPATH": str(folder)},
        check=True,
    )


def lines(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each line of the notebooks' outputs and of the tables and results, with its place."""
    for path in sorted((folder / "notebooks").glob("*.ipynb")):
        for number, cell in enumerate(json.loads(path.read_text())["cells"]):
            for output in cell.get("outputs", []):
                shown = output.get("data", {}) | {"text": output.get("text", "")}
                for kind in ("text", "text/plain", "text/html"):
                    for k, line in enumerate("".join(shown.get(kind, "")).splitlines()):
                        yield f"{path.name}, cell {number}, {kind}, line {k}", sanitised(line)
    for path in sorted((folder / "figures").rglob("*")):
        if path.suffix in (".csv", ".json"):
            for k, line in enumerate(path.read_text().splitlines()):
                yield f"{path.relative_to(folder)}, line {k}", line


def main() -> None:
    """Parse the command line, run, compare; fails where a printed line differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="+", help="numbers of notebooks")
    parser.add_argument("--kernels", nargs="+", default=["Haswell", "Nehalem"])
    chosen = parser.parse_args()
    found = {}
    for kernel in chosen.kernels:
        with tempfile.TemporaryDirectory(prefix="arise-kernel-") as name:
            copy(Path(name))
            run(Path(name), kernel, chosen.numbers)
            found[kernel] = dict(lines(Path(name)))
    first, *others = chosen.kernels
    printed = written = 0
    for other in others:
        for place in found[first] | found[other]:
            one, two = (found[kernel].get(place) for kernel in (first, other))
            if one != two:
                printed += ".ipynb" in place
                written += ".ipynb" not in place
                print(f"{place}\n  {first}: {one}\n  {other}: {two}")
    print(f"{len(found[first])} lines: {printed} printed and {written} written ones differ")
    sys.exit(printed > 0)


if __name__ == "__main__":
    main()
