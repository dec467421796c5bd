"""A cluster of dask in place of the local pool: the same bits from all that takes an executor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from ase import Atoms
from ase.build import bulk

from arise_lib import classify_frames, scan, strided
from arise_lib.descriptor import SoapSettings
from arise_lib.storage import paths
from arise_lib.training import defective_set

distributed = pytest.importorskip("distributed")

QUICKLY: dict[str, Any] = {"network": "arise", "passes": 2}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Executor]:
    """Two processes of one thread each, as other machines would be."""
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as here,
        distributed.Client(here) as client,
    ):
        yield client.get_executor()


@pytest.fixture(scope="module")
def sample() -> Atoms:
    atoms = bulk("Fe", "bcc", a=2.87, cubic=True) * (8, 5, 5)
    atoms.pbc = False
    atoms.rattle(0.05, seed=1)
    return atoms


@pytest.mark.parametrize(
    ("box", "stride"),
    [
        pytest.param(12.0, 4.0, id="lines"),
        pytest.param(12.0, 8.0, id="boxes one by one"),
        pytest.param(strided.Sphere(6.5), 5.0, id="spheres"),
    ],
)
def test_scan(sample: Atoms, cluster: Executor, box: Any, stride: float) -> None:
    def of(executor: Executor | None) -> xr.Dataset:
        return scan(sample, box, stride, padding=0.0, executor=executor, **QUICKLY)

    xr.testing.assert_identical(of(cluster), of(None))


def _atoms(sample: Atoms, executor: Executor | None) -> np.ndarray:
    return strided.label_atoms(
        sample, centres=range(0, 400, 40), n_atoms=60, executor=executor, **QUICKLY
    ).probabilities


def _frames(sample: Atoms, executor: Executor | None) -> np.ndarray:
    found = classify_frames([sample], centres=3, n_atoms=60, executor=executor, **QUICKLY)
    return np.column_stack([found.shares, found.mutual_information, found.novelty])


def _places(sample: Atoms, executor: Executor | None) -> np.ndarray:
    centres = sample.positions[[100, 200]]
    return strided.describe_at(sample, centres, 12.0, settings=SoapSettings(), executor=executor)


@pytest.mark.parametrize("compute", [_atoms, _frames, _places])
def test_parts_of_a_sample(
    sample: Atoms, cluster: Executor, compute: Callable[[Atoms, Executor | None], np.ndarray]
) -> None:
    found = compute(sample, cluster)
    assert np.isfinite(found).all() and len(found) > 0
    np.testing.assert_array_equal(found, compute(sample, None))


def test_data_set(cluster: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def of(executor: Executor | None) -> bytes:
        monkeypatch.setattr(paths, "DERIVED", tmp_path / str(executor is None))
        pieces = defective_set([("missing", 4)], [0], labels=("bcc", "CsCl"), executor=executor)
        return b"".join(data.features.tobytes() for *_, data in pieces)

    assert of(cluster) == of(None)
