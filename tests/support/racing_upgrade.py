"""Upgrades a store beside others: says `waits` when it comes to the write lock, with the store not
yet upgraded.

    python -m tests.support.racing_upgrade KIND STORE
"""

import sys
from pathlib import Path

from sqlalchemy import Engine, event

from steroids.store.session import Store


def on_statement(connection: object, cursor: object, statement: str, *_: object) -> None:
    if statement == "BEGIN IMMEDIATE":
        print("waits", flush=True)


if __name__ == "__main__":
    kind, path = sys.argv[1:]
    event.listen(Engine, "before_cursor_execute", on_statement)
    Store(Path(path), kind).close()
