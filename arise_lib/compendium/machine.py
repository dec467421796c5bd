"""The machine that numbers are computed on, as far as it decides about their last bits."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import numpy as np
from llvmlite import binding
from numba import config
from threadpoolctl import threadpool_info


def processor() -> str:
    """Name the processor.

    Returns
    -------
    str
        Its model; its architecture where the system does not tell more.
    """
    information = Path("/proc/cpuinfo")
    if information.is_file():
        lines = information.read_text(errors="replace").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    elif platform.system() == "Darwin":
        asked = ("sysctl", "-n", "machdep.cpu.brand_string")
        names = subprocess.run(asked, capture_output=True, text=True).stdout.splitlines()
    else:
        names = [platform.processor()]
    return next(filter(None, names), platform.machine())


def line() -> str:
    """Name what chooses the machine code, and so the last bits of a result.

    Returns
    -------
    str
        One line: the kernel of BLAS, processor, operating system, Python, and
        the processor that numba compiles for.
    """
    blas = {
        " ".join(str(pool.get(key)) for key in ("internal_api", "version", "architecture"))
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    }
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    return " · ".join(
        (
            # Apple's is not known to threadpoolctl.
            *(sorted(blas) or [str(built)]),
            processor(),
            platform.platform(terse=True),
            f"Python {platform.python_version()}",
            f"numba for {config.CPU_NAME or binding.get_host_cpu_name()}",
        )
    )
