"""What all HTTP bodies share: camelCase JSON, decoded and checked by msgspec.

msgspec and not pydantic, because both ends of the socket that must be quick import this: the
runner's start and every CLI command (0.04 s instead of 0.11 s).
"""

import msgspec


class Body(msgspec.Struct, rename="camel", kw_only=True):
    """A JSON object; names are snake_case here and camelCase on the wire."""


def encode(body: object) -> bytes:
    return msgspec.json.encode(body)


def to_builtins(body: object) -> dict[str, object]:
    """The same object as plain JSON types, for `--json`."""
    plain = msgspec.to_builtins(body)
    assert isinstance(plain, dict)
    return plain
