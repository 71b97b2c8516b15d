"""Texts that are kept as they have to be, to be read by people.

`STEROIDS_GOLDEN=write` in the environment writes them again; look at the difference then.
"""

import os
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "golden"


def check_golden(name: str, text: str) -> None:
    path = FOLDER / name
    if os.environ.get("STEROIDS_GOLDEN") == "write":
        path.write_text(text)
    assert text.splitlines() == path.read_text().splitlines(), "STEROIDS_GOLDEN=write renews it"
