"""JSON as people write it for dev containers: with comments, and commas behind the last item."""

import json
import re
from collections.abc import Mapping
from typing import Any

from steroids.errors import BadConfig

_STRING = r'("(?:\\.|[^"\\\n])*")'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_COMMA = re.compile(rf"{_STRING}|,(?=\s*[\]}}])")


def parse(name: str, content: bytes) -> Mapping[str, Any]:
    """The object in the file `name`. Raises `BadConfig` with the line where it is none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadConfig(f"{name} is not UTF-8") from None
    # Comments leave their line breaks, so that an error is told at its place.
    text = _COMMENT.sub(lambda found: found[1] or re.sub(r"[^\n]", " ", found[0]), text)
    text = _COMMA.sub(lambda found: found[1] or " ", text)
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadConfig(f"{name}:{error.lineno}: not JSON ({error.msg})") from None
    except RecursionError:
        raise BadConfig(f"{name}: nested too deep") from None
    if not isinstance(tree, dict):
        raise BadConfig(f"{name}:1: expected an object, `{{...}}`")
    return tree
