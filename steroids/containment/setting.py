"""`enforce_single_daemon_process` in the user's own settings, as `init` leaves it there."""

import contextlib
import os
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

KEY = "enforce_single_daemon_process"
HEAD = "# Steroids on this host, for all your projects. All keys: steroids config show\n"
ON = f"""
# Steroids was set up in a container here: a controller or loop that starts ends those before it,
# which a container that was resumed or attached to twice may still have.
{KEY}: true
"""
OFF = f"""
# Turn this on in a container (a devcontainer, a codespace, a CI job) where controllers or loops
# are left over: one that starts then ends those before it. Outside of containers nothing that
# lives is ever ended.
# {KEY}: true
"""


def ensure_setting(config_path: Path, in_container: bool) -> bool:
    """Write the setting where there is no word of it: on in a container, else commented out.

    The file is made when it is missing; keys and comments that are there stay as they are, and a
    file that is not understood is left alone. Returns whether anything was written. Raises
    `OSError` when it cannot be read or written.
    """
    try:
        old = config_path.read_text("utf-8")
    except FileNotFoundError:
        return _create(config_path, HEAD + (ON if in_container else OFF))
    except UnicodeDecodeError:
        return False
    if KEY in old:
        return False
    new = _with_setting(old) if in_container else _with_comment(old)
    if new is None:
        return False
    _replace(config_path, new)
    return True


def _with_setting(old: str) -> str | None:
    tree = _tree(old)
    if tree is None:
        return None
    wanted = {**tree, KEY: True}
    appended = _ended(old) + ON
    if _tree(appended) == wanted:
        return appended
    # Not lines of `key: value`; then it is written anew, with its comments.
    tree[KEY] = True
    out = StringIO()
    YAML().dump(tree, out)
    return out.getvalue() if _tree(out.getvalue()) == wanted else None


def _with_comment(old: str) -> str | None:
    tree = _tree(old)
    # Where the line could not be turned on where it stands, it is of no use.
    if tree is None or _tree(_ended(old) + ON) != {**tree, KEY: True}:
        return None
    return _ended(old) + OFF


def _tree(text: str) -> CommentedMap | None:
    """None for what is not settings."""
    try:
        tree: Any = YAML().load(text)
    except (YAMLError, ValueError):
        return None
    if tree is None:
        return CommentedMap()
    return tree if isinstance(tree, CommentedMap) else None


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _create(path: Path, content: str) -> bool:
    # Exclusive: two at once do not write into each other's.
    with contextlib.suppress(FileExistsError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, 0o600), "w") as file:
            file.write(content)
        return True
    return False


def _replace(path: Path, content: str) -> None:
    """Atomic; a link, as people have for their dotfiles, goes on leading to the file."""
    target = path.resolve()
    fresh = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        fresh.write_text(content, "utf-8")
        shutil.copymode(target, fresh)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
