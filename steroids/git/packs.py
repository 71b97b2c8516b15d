"""How large what is in a pack is, read from the pack alone, without unpacking it into memory.

A pack of one megabyte can hold a gigabyte of zeros, and a delta of some bytes can stand for as
much; git finds out by unpacking. The format is that of git's gitformat-pack(5).
"""

import zlib
from dataclasses import dataclass
from typing import IO

from steroids.errors import BundleRefused

_BLOB, _OFS_DELTA, _REF_DELTA = 3, 6, 7
_WHOLE = (1, 2, _BLOB, 4)
"""Commits, trees, files, tags."""
_CHUNK_BYTES = 16 * 1024
_INFLATED_BYTES = 256 * 1024
_START_BYTES = 20
"""Of a delta: the two sizes stand there, ten bytes each at most."""
MOST_OBJECTS = 1_000_000


@dataclass(frozen=True)
class Weight:
    objects: int
    unpacked_bytes: int
    largest_blob_bytes: int
    """Of files stored whole; of those stored as differences none is too large."""


def weigh(file: IO[bytes], *, max_object_bytes: int, max_total_bytes: int) -> Weight:
    """Walk through the pack that begins where `file` is; how it ends is git's to check.

    Raises `BundleRefused` as soon as it is sure that all objects together are larger than
    `max_total_bytes`, or one that is no whole file is larger than `max_object_bytes`: nothing that
    people commit. A whole file larger than that is only told of, since git can say its name.
    """
    reader = _Reader(file)
    if reader.take(4) != b"PACK" or reader.number() not in (2, 3):
        raise BundleRefused("The bundle was refused: it has no pack")
    objects = reader.number()
    if objects > MOST_OBJECTS:
        raise BundleRefused(
            f"The bundle has {objects:,} objects, and {MOST_OBJECTS:,} are allowed",
            hint="take generated files out of the commits",
        )
    total = largest = 0
    for _ in range(objects):
        kind, size = reader.entry(max_total_bytes - total)
        total += size
        if kind == _BLOB:
            largest = max(largest, size)
        elif size > max_object_bytes:
            raise _too_large(size, max_object_bytes)
        if total > max_total_bytes:
            raise _too_large(total, max_total_bytes)
    return Weight(objects, total, largest)


def megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:,.1f} MB"


def _too_large(size: int, allowed: int) -> BundleRefused:
    return BundleRefused(
        f"The commits unpack to {megabytes(size)} or more, and {megabytes(allowed)} are allowed",
        hint="take large files out of the commits",
    )


class _Reader:
    """Raises `BundleRefused` where the pack ends too early or is none."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._chunk, self._at = b"", 0

    def take(self, count: int) -> bytes:
        taken = self._chunk[self._at : self._at + count]
        self._at += len(taken)
        while len(taken) < count:
            self._chunk = self._more()
            self._at = count - len(taken)
            taken += self._chunk[: self._at]
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def entry(self, most: int) -> tuple[int, int]:
        """The kind of the next object and its size; of a delta, that of what it makes if larger.

        What is larger than `most` is not read to its end.
        """
        byte = self.take(1)[0]
        kind, size, shift = (byte >> 4) & 7, byte & 15, 4
        while byte & 0x80:
            byte = self.take(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if shift > 64:
                raise BundleRefused("The bundle was refused: an object of endless size")
        if size > most:
            return kind, size
        if kind == _OFS_DELTA:
            while self.take(1)[0] & 0x80:
                pass
        elif kind == _REF_DELTA:
            self.take(20)
        elif kind not in _WHOLE:
            raise BundleRefused(f"The bundle was refused: an object of kind {kind}")
        start = self._inflate(size)
        return kind, size if kind in _WHOLE else max(size, _size_made(start))

    def _inflate(self, size: int) -> bytes:
        """Go to the end of a compressed object; returns how it begins."""
        stream, start, seen = zlib.decompressobj(), b"", 0
        fed = self._chunk[self._at :]
        try:
            while not stream.eof:
                piece = stream.decompress(fed or self._more(), _INFLATED_BYTES)
                fed = stream.unconsumed_tail
                start = start or piece[:_START_BYTES]
                seen += len(piece)
                if seen > size:
                    raise BundleRefused("The bundle was refused: an object is larger than it says")
        except zlib.error as error:
            raise BundleRefused(f"The bundle was refused: {error}") from None
        self._chunk, self._at = stream.unused_data, 0
        return start

    def _more(self) -> bytes:
        more = self._file.read(_CHUNK_BYTES)
        if not more:
            raise BundleRefused("The bundle was refused: its pack is cut off")
        return more


def _size_made(delta: bytes) -> int:
    """Of what a delta makes: the second of the two numbers that it begins with."""
    numbers, at = [0, 0], 0
    for index in range(2):
        shift = 0
        while at < len(delta):
            byte = delta[at]
            numbers[index] |= (byte & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not byte & 0x80:
                break
    return numbers[1]
