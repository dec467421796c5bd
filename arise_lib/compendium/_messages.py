"""What the command line says on the side of its answers."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path


def complain(message: str) -> None:
    """Write a line to standard error."""
    # Of a terminal that was closed nobody can complain.
    with suppress(OSError):
        print(f"arise: {message}", file=sys.stderr, flush=True)


def about(file: str, message: object) -> str:
    """Put the file before a message that does not name it."""
    return str(message) if Path(file).name in str(message) else f"{file}: {message}"


def short_of_memory(error: MemoryError) -> str:
    """Say that the memory was not enough, and what to do."""
    reason = f" ({error})" if str(error) else ""
    return f"the memory was not enough{reason}: take a part of the sample or a larger stride"
