"""Packs of any kind, and what is sure about them before anybody unpacks them."""

import io
import os
import tracemalloc
import zlib
from pathlib import Path

import pytest

from steroids.errors import BundleRefused
from steroids.git.packs import Weight, weigh
from tests.support.repos import new_repo

MIB = 1024 * 1024
BLOB, OFS_DELTA, REF_DELTA = 3, 6, 7


def number(value: int, first_bits: int = 7, first: int = 0) -> bytes:
    """As in a pack: bits from the lowest on, seven to a byte but for the first."""
    out = bytearray([first | (value & ((1 << first_bits) - 1))])
    value >>= first_bits
    while value:
        out[-1] |= 0x80
        out.append(value & 0x7F)
        value >>= 7
    return bytes(out)


def entry(kind: int, content: bytes, *, says: int | None = None, link: bytes = b"") -> bytes:
    size = len(content) if says is None else says
    return number(size, 4, kind << 4) + link + zlib.compress(content)


def pack(*entries: bytes, says: int | None = None) -> bytes:
    count = len(entries) if says is None else says
    return (
        b"PACK" + (2).to_bytes(4, "big") + count.to_bytes(4, "big") + b"".join(entries) + b"x" * 20
    )


def weighed(raw: bytes, *, most: int = MIB, total: int = 4 * MIB) -> Weight:
    return weigh(io.BytesIO(raw), max_object_bytes=most, max_total_bytes=total)


def test_a_pack_of_git_weighs_what_git_says(tmp_path: Path) -> None:
    repo = new_repo(tmp_path / "repo")
    lines = [os.urandom(20).hex() for _ in range(2_000)]
    for change in range(3):
        lines[change * 100] = "changed"
        repo.commit("edit", {"large": "\n".join(lines), "random": os.urandom(100_000)})
    raw = repo.git_bytes("pack-objects", "--stdout", "--all", "--delta-base-offset", "--revs")
    names = repo.git("rev-list", "--objects", "--no-object-names", "--all")
    sizes = repo.git("cat-file", "--batch-check=%(objectsize)", stdin=names.encode()).split()
    found = weighed(raw)
    assert found.objects == len(sizes)
    assert found.unpacked_bytes == sum(map(int, sizes))
    assert found.largest_blob_bytes == 100_000


def test_a_large_file_is_told_of_and_not_refused() -> None:
    raw = pack(entry(BLOB, b"0" * (2 * MIB)), entry(BLOB, b"small"))
    assert weighed(raw) == Weight(2, 2 * MIB + 5, 2 * MIB)


TERABYTE = 10**12
DELTA = number(1000) + number(TERABYTE)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (pack(entry(BLOB, b"0", says=TERABYTE)), "unpack to 1,000,000.0 MB or more"),
        (pack(*[entry(BLOB, b"0" * MIB)] * 5), "unpack to 5.2 MB or more"),
        (pack(entry(BLOB, b"0" * 20 * MIB, says=10)), "larger than it says"),
        (pack(entry(REF_DELTA, DELTA, link=b"b" * 20)), "unpack to 1,000,000.0 MB"),
        (pack(entry(OFS_DELTA, DELTA, link=b"\x80\x01")), "unpack to 1,000,000.0 MB"),
        (pack(entry(2, b"0" * (2 * MIB))), "unpack to 2.1 MB or more, and 1.0 MB"),
        (pack(entry(5, b"x")), "kind 5"),
        (pack(b"\xbf" + b"\x80" * 100), "endless size"),
        (pack(says=2_000_000), "2,000,000 objects"),
        (pack(entry(BLOB, b"x"), says=3), "refused"),
        (pack(entry(BLOB, b"x"))[:14], "cut off"),
        (pack(b"\x31" + b"not zlib at all"), "refused"),
        (b"KCAP" + bytes(8), "no pack"),
        (b"", "cut off"),
    ],
)
def test_a_bomb_is_refused_before_it_goes_off(raw: bytes, words: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BundleRefused, match=words):
            weighed(raw)
        assert tracemalloc.get_traced_memory()[1] < 2 * MIB
    finally:
        tracemalloc.stop()


def test_what_says_that_it_is_too_large_is_not_read_to_its_end() -> None:
    file = io.BytesIO(pack(entry(BLOB, os.urandom(2 * MIB))))
    with pytest.raises(BundleRefused, match="unpack to"):
        weigh(file, max_object_bytes=MIB, max_total_bytes=MIB)
    assert file.tell() < MIB
