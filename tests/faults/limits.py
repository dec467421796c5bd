"""Faults in processes of their own with limited memory: none can take anything else down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

_START = """
import json, resource
import numpy as np
from ase import Atoms
from ase.build import bulk
from arise_lib.descriptor import describe
from arise_lib.structures import check_atoms, load_structure, read_structure

# What a first call loads is not the fault's.
free = bulk("NaCl", "rocksalt", a=5.6, cubic=True)
describe(free), check_atoms(free)
free.pbc = False
describe(free), check_atoms(free)

def fault():
{fault}

size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + {allowed},) * 2)
try:
    value = fault()
    found = {{"value": value if value is None else np.asarray(value).tolist()}}
except Exception as error:
    found = {{"error": type(error).__name__, "message": str(error)}}
print(json.dumps(found))
"""


def outcome(fault: str, megabytes: int = 512) -> dict[str, Any]:
    """Run the body of a function and say what it returned or raised.

    The process gets so much memory beyond what it has after the first descriptor.
    """
    body = "\n".join(f"    {line}" for line in fault.strip().splitlines())
    script = _START.format(fault=body, allowed=megabytes << 20)
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", script],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    # A segmentation fault, or a kill for want of memory, has no last line.
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr[-500:]}"
    return json.loads(done.stdout.splitlines()[-1])
