"""A folder for one assignment, outside of the workspace."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that the agent may read and not write."""
    folder = Path(tempfile.mkdtemp(prefix="steroids-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
