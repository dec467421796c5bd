"""Entry point of ``python -m arise_lib``."""

from __future__ import annotations

import sys

from arise_lib.compendium.cli import main

if __name__ == "__main__":
    sys.exit(main())
