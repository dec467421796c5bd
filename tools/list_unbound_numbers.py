"""Write the list of numbers in prose that have no source yet: ``tests/data/unbound_numbers.csv``.

The list only becomes shorter; ``--grow`` lets it grow, for text that comes from elsewhere.

    .venv/bin/python tools/list_unbound_numbers.py
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

import pandas as pd

from arise_lib.storage import paths

sys.path.append(str(paths.ROOT / "tests"))
from prose_numbers import UNBOUND, documents, listed, passages, unbound


def main() -> int:
    """Write the list; refuse a longer one unless it is asked for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--grow", action="store_true", help="take new numbers into the list")
    grow = options.parse_args().grow
    rows = [
        (passage.document, claim.text, " ".join(claim.before.split()[-5:]))
        for document in documents()
        for passage in passages(document)
        for claim in unbound(passage)
    ]
    new = Counter((document, number) for document, number, _ in rows)
    if UNBOUND.exists() and not grow and (longer := new - listed()):
        names = ", ".join(f"{number} in {document}" for document, number in sorted(longer))
        print(f"not bound and not in the list: {names}; bind them, or give --grow", file=sys.stderr)
        return 1
    table = pd.DataFrame(rows, columns=["document", "number", "words before"])
    table.to_csv(UNBOUND, index=False, lineterminator="\n")
    print(f"{len(table)} numbers have no source")
    return 0


if __name__ == "__main__":
    sys.exit(main())
