"""A file's content: unpacked, decoded, in lines."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, cast

from arise_lib.errors import InputError

#: Bytes that a packed file may always unpack to: some million atoms; reading takes 50 times that
#: where lines are shortest.
MAX_UNPACKED = 50_000_000

#: How many times its own size a packed file may unpack to beyond that. Coordinates shrink to a
#: fifth; two kilobytes that unpack to gigabytes hold nothing but repetitions.
MAX_RATIO = 20

# What the unpackers raise on damaged data, each in its own way.
_DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)
_PACKED_ENDING = re.compile(r"\.(gz|bz2|xz|zst|zip)$", re.IGNORECASE)


@dataclass(frozen=True)
class Content:
    """A file as it was found.

    Attributes
    ----------
    place : str
        What messages call it.
    name : str
        Name without folder and without the ending of a packed file; empty for a stream.
    raw : bytes
        Content, unpacked.
    """

    place: str
    name: str
    raw: bytes

    @cached_property
    def text(self) -> str:
        """The decoded text with line ends of one kind; an InputError for binary data."""
        raw = self.raw
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            try:
                text = raw.decode("utf-16")
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{self.place} begins as UTF-16 and goes on as something else; is it whole?"
                ) from error
        else:
            # NUL occurs in no text but UTF-16, and in nearly every binary file.
            where = raw.find(b"\0")
            if where >= 0:
                line = raw.count(b"\n", 0, where) + 1
                raise InputError(
                    f"{self.place}, line {line}: binary data (a zero byte), where text is needed; "
                    "if it is text, save it as UTF-8"
                )
            try:
                text = raw.decode("utf-8-sig")
            except UnicodeDecodeError:
                # Latin-1 takes every byte: comments may hold any, the rest is checked by word.
                text = raw.decode("latin-1")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    @cached_property
    def lines(self) -> list[str]:
        """Lines of the text."""
        # Not str.splitlines, which also breaks at characters that editors do not count as ends.
        return self.text.split("\n")

    @property
    def ends_whole(self) -> bool:
        """Whether the last line has an end, which the programs that write structures give it."""
        return not self.lines[-1].strip()


def load(source: str | PathLike[str] | BinaryIO) -> Content:
    """Read a file, or a binary stream such as standard input; unpack it by its content."""
    if isinstance(source, str | PathLike):
        path = Path(source)
        place, name = str(path), _PACKED_ENDING.sub("", path.name)
        try:
            if not path.exists():
                raise InputError(f"{path}: no such file; check the name")
            if not path.is_file():
                raise InputError(f"{path} is a folder or a device; a structure file is needed")
            raw = path.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path} cannot be read ({error})") from error
    else:
        place, name, raw = "the stream", "", source.read()
    if not raw:
        raise InputError(f"{place} is empty; a structure file is needed")
    try:
        unpacked = _unpack(place, raw)
    except _DAMAGED as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{place} cannot be read ({error}); check that it is whole") from error
    if not unpacked:
        raise InputError(f"{place} is empty once unpacked; a structure file is needed")
    return Content(place, name, unpacked)


def _unpack(place: str, raw: bytes) -> bytes:
    """Unpack by the first bytes, whatever the name says."""
    openers: dict[bytes, Callable[..., Any]] = {
        b"\x1f\x8b": gzip.open,
        b"BZh": bz2.open,
        b"\xfd7zXZ\0": lzma.open,
    }
    for magic, opener in openers.items():
        if raw.startswith(magic):
            with opener(io.BytesIO(raw)) as stream:
                return _read(place, stream, len(raw))
    if raw.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if len(names) != 1:
                raise InputError(
                    f"{place} is an archive of {len(names)} files; unpack it and name one of them"
                )
            with archive.open(names[0]) as member:
                return _read(place, cast(BinaryIO, member), len(raw))
    if raw.startswith(b"\x28\xb5\x2f\xfd"):
        raise InputError(
            f"{place} is packed with Zstandard, which this version of Python cannot unpack; do "
            "'unzstd FILE' first, or use .gz, .bz2 or .xz"
        )
    return raw


def _read(place: str, stream: BinaryIO, n_packed: int) -> bytes:
    """Unpack piece by piece, and stop where it would fill the memory."""
    allowed = max(MAX_UNPACKED, MAX_RATIO * n_packed)
    pieces = []
    n_unpacked = 0
    while piece := stream.read(1 << 20):
        n_unpacked += len(piece)
        if n_unpacked > allowed:
            raise InputError(
                f"{place}, {n_packed:,} bytes, unpacks to more than {allowed:,}; unpack it "
                "yourself if it is what you expect"
            )
        pieces.append(piece)
    return b"".join(pieces)
