"""The tools start, and say what they are for; what they do takes hours and has its own tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from arise_lib.storage import paths

TOOLS = sorted((paths.ROOT / "tools").glob("*.py"))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.stem)
def test_help(tool: Path) -> None:
    done = subprocess.run(
        [sys.executable, tool, "--help"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(paths.ROOT), "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stderr
    title = tool.read_text().split('"""')[1].splitlines()[0]
    assert title in done.stdout
