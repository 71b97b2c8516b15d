"""Sizes in bytes as people write them: `512m`, `2g`."""

import re

PATTERN = r"^\d+[kmgKMG]?$"
_UNITS = " kmg"


def parse(text: str) -> int:
    """`512m` in bytes. Raises `ValueError` for what does not match `PATTERN`."""
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"'{text}' is no size: 512m, 2g")
    unit = text[-1].lower() if not text[-1].isdigit() else " "
    return int(text.rstrip("kmgKMG")) << (10 * _UNITS.index(unit))


def shown(size_bytes: int) -> str:
    """`2g`, `11.8g`: in the largest unit of which there is one."""
    power = min(3, max(0, (size_bytes.bit_length() - 1) // 10))
    number = f"{size_bytes / (1 << 10 * power):.1f}".removesuffix(".0")
    return f"{number}{_UNITS[power].strip() or ' bytes'}"
