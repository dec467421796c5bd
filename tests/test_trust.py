"""The sets by which novelty is fitted and measured: apart from each other, and what they claim."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from arise_lib.bayes import fit_novelty
from arise_lib.descriptor import SoapSettings
from arise_lib.network import Network
from arise_lib.training import DataSet, trust
from arise_lib.training.trust import scores, warnings_table
from arise_lib.training.units import Unit
from arise_lib.training.unknown import UnknownUnit, unknown_units


def units_of(monkeypatch: pytest.MonkeyPatch, name: str) -> list[Unit]:
    """Structures of a set, without describing them."""
    seen: dict[str, list[Unit]] = {}
    monkeypatch.setattr(trust, "_described", lambda kind, units, *_: seen.update({kind: units}))
    monkeypatch.setattr(trust, "unknown_set", lambda *_, **__: None)
    trust.known_sets(SoapSettings())
    trust.trust_sets(SoapSettings())
    return seen[name]


def test_sets_have_no_structure_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    known, held_out, test = (
        units_of(monkeypatch, name) for name in ("known", "held-out", "known test")
    )
    sizes = {(u.label, u.size) for u in known if u.size}
    assert not sizes & {(u.label, u.size) for u in held_out}
    noisy = [{u for u in units if u.displacement or u.missing} for units in (known, held_out, test)]
    seeds = [{u.seed[0] for u in units} for units in noisy]
    assert seeds == [{300}, {301}, {302}]
    assert len(known) == 3 * 96 + 12 + 6 * (4 * 96 + 12)
    assert len(held_out) == 96 + 6 * (2 * 96 + 12)
    assert len(test) == 96 + 2 * (2 * 96 + 12)
    assert {u.label for u in known} == {u.label for u in held_out} == {u.label for u in test}


def test_unknown_structures_are_seeded_one_by_one() -> None:
    units = unknown_units()
    assert len(set(units)) == len(units) == 8 * 220
    noisy = [u for u in units if u.displacement or u.missing]
    assert len({u.seed for u in noisy}) == len(noisy) == 4 * 220
    one = noisy[0]
    assert one.build() == one.build()
    assert one.build() != UnknownUnit(**asdict(one) | {"seed": (302, 9, 9, 9)}).build()
    holes = next(u for u in noisy if u.missing)
    full = UnknownUnit(holes.label, holes.size, holes.periodic).build()
    assert len(holes.build()) == len(full) - int(0.05 * len(full))


def test_a_warning_that_tells_them_apart_is_worth_one() -> None:
    generator = np.random.default_rng(0)
    shapes = ((316, 20), (20, 20), (20, 3))
    kernels = tuple(generator.normal(size=shape).astype(np.float32) for shape in shapes)
    biases = tuple(np.zeros(shape[1], dtype=np.float32) for shape in shapes)
    bare = Network(kernels, biases, 0.1, ("a", "b", "other"), SoapSettings())

    def rows(centre: int, seed: int) -> DataSet:
        base = np.random.default_rng(centre).random(316)
        noise = np.random.default_rng(seed).normal(scale=1e-3, size=(40, 316))
        table = pd.DataFrame(index=range(40))
        classes = np.arange(40) % 2
        return DataSet((base + noise).astype(np.float32), classes, ("a", "b"), table)

    fitted = fit_novelty(bare, rows(1, 2), rows(1, 3))
    table = warnings_table(fitted, rows(1, 4), rows(7, 5), n_passes=3)
    assert list(table.index) == ["novelty", "mutual information", "1 - p"]
    assert table.loc["novelty"].tolist() == [1.0, 0.0]
    assert table.loc["1 - p"].notna().all()
    assert warnings_table(bare, rows(1, 4), rows(7, 5), n_passes=3).loc["novelty"].isna().all()
    # What is certain of "other" is certain of no structure.
    sure = Network(
        kernels, (*biases[:-1], np.float32([0, 0, 1e4])), 0.1, bare.classes, bare.settings
    )
    assert scores(sure, rows(1, 4), n_passes=3)["1 - p"].min() == 1.0
