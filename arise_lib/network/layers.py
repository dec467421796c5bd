"""The layers of a network as a table, in the form of the paper's Table 1."""

from __future__ import annotations

import pandas as pd

from arise_lib.network.model import Network


def layers(network: Network) -> pd.DataFrame:
    """List the dense layers of a network (the paper's Table 1).

    Parameters
    ----------
    network : Network
        A single network.

    Returns
    -------
    DataFrame
        One row per dense layer: `inputs`, `units`, `dropout before / %` (share of
        its inputs that are dropped) and `parameters` (weights and biases).

    Examples
    --------
    >>> from arise_lib import network
    >>> network.layers(network.load("arise"))["units"].tolist()
    [256, 256, 512, 512, 256, 108]
    """
    table = pd.DataFrame([kernel.shape for kernel in network.kernels], columns=["inputs", "units"])
    table.index = pd.Index([f"dense {k + 1}" for k in range(len(table))], name="layer")
    table["dropout before / %"] = round(100 * network.dropout, 2)
    table["parameters"] = (table["inputs"] + 1) * table["units"]
    return table
