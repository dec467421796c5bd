"""Put the list of the notebooks, ``notebooks/contents.csv``, into README and notebook 00.

.venv/bin/python tools/list_notebooks.py
"""

from __future__ import annotations

import argparse

from arise_lib.compendium import contents

if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    contents.write()
