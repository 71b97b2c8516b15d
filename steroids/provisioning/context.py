"""What an image is built from: Dockerfiles, the host's certificates, Steroids' own files."""

import functools
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import steroids
from steroids.errors import SteroidsError

_PACKAGE = Path(steroids.__file__).parent
# All that the runner imports; the rest of Steroids stays out of containers.
_MODULES = ("__init__.py", "errors.py", "proc.py", "home.py", "client.py")
_PACKAGES = ("wire", "runner", "agents", "git")

Context = Mapping[str, bytes]
"""Paths relative to the build context's folder, with their content."""


def images_dir() -> Path:
    """Where the Dockerfiles are: inside the installed package, or beside it in a checkout."""
    for folder in (_PACKAGE / "_images", _PACKAGE.parent / "images"):
        if (folder / "runner" / "Dockerfile").is_file():
            return folder
    raise SteroidsError(
        f"Steroids is not installed whole: there is no {_PACKAGE / '_images'}",
        hint="python3 -m pip install --force-reinstall steroids",
    )


def runner_context(ca_bundle: Path | None) -> Context:
    """All files that the runner image is built from."""
    return {**_own_files(), "ca/host.pem": ca_bundle.read_bytes() if ca_bundle else b""}


@functools.cache
def _own_files() -> Context:
    # Once per process: a controller whose files change under it is to be restarted anyway.
    recipe = images_dir() / "runner"
    files = {str(path.relative_to(recipe)): path.read_bytes() for path in _sources(recipe)}
    files["lib/steroids-runner"] = files.pop("steroids-runner")
    for path in (*(_PACKAGE / name for name in _MODULES), *_python()):
        files[f"lib/steroids/{path.relative_to(_PACKAGE)}"] = path.read_bytes()
    return files


def _python() -> Iterator[Path]:
    for package in _PACKAGES:
        yield from sorted((_PACKAGE / package).rglob("*.py"))


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "README.md":
            yield path


def digest(context: Context, *further: str) -> str:
    """16 hex digits that change with any name, any byte, and `further`."""
    sha = hashlib.sha256()
    for name, content in sorted(context.items()):
        sha.update(f"{name}\0{len(content)}\0".encode() + content)
    for word in further:
        sha.update(f"{word}\0".encode())
    return sha.hexdigest()[:16]


def write_context(context: Context, folder: Path) -> None:
    """Readable by whomever an image has, whatever the umask: the controller's lets nobody in."""
    for name, content in context.items():
        path = folder / name
        open_folders(path, folder)
        path.write_bytes(content)
        path.chmod(0o644)


def open_folders(path: Path, root: Path) -> None:
    """Make the folders of a file below the context's root, open to everybody."""
    for parent in reversed(path.relative_to(root).parents[:-1]):
        folder = root / parent
        if not folder.is_dir():
            folder.mkdir()
            folder.chmod(0o755)
