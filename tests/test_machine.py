from __future__ import annotations

import platform

import numpy as np
from threadpoolctl import threadpool_info

from arise_lib.compendium import machine


def test_line_names_what_decides_about_the_last_bits() -> None:
    assert (np.ones((2, 2)) @ np.ones((2, 2)) == 2).all()  # BLAS is loaded
    line = machine.line()
    assert "\n" not in line
    for pool in threadpool_info():
        if pool["user_api"] == "blas":
            assert f"{pool['internal_api']} {pool['version']} " in line
            assert pool.get("architecture", "") in line
    assert f" · {machine.processor()} · " in line
    assert platform.system() in line
    assert f" · Python {platform.python_version()} · numba for " in line


def test_processor_is_named() -> None:
    assert machine.processor().strip() == machine.processor() != ""
