"""Set-ups as they are found, with programs that the runner image does not have."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from steroids.provisioning.setup import find_setup
from steroids.provisioning.setups.files import Files

CRATE = '[package]\nname = "{0}"\nversion = "0.1.0"\nedition = "2021"\n'
FILES = {
    "rust/Cargo.toml": CRATE.format("app") + '[dependencies]\ndep = { path = "dep" }\n',
    "rust/src/lib.rs": "",
    "rust/dep/Cargo.toml": CRATE.format("dep"),
    "rust/dep/src/lib.rs": "",
}
LOCK = (
    'version = 3\n\n[[package]]\nname = "app"\nversion = "0.1.0"\ndependencies = [\n "dep",\n]\n\n'
    '[[package]]\nname = "dep"\nversion = "0.1.0"\n'
)


@pytest.mark.parametrize(("lock", "fits"), [(LOCK, True), (LOCK.replace('"dep",\n', ""), False)])
def test_cargo_fetches_what_the_lockfile_says_and_tells_one_that_does_not_fit(
    tmp_path: Path, lock: str, fits: bool
) -> None:
    if shutil.which("cargo") is None:
        pytest.skip("there is no cargo here")
    files = {**FILES, "rust/Cargo.lock": lock}
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    (command,) = find_setup(Files(dict.fromkeys(files, ""), files.get), None).commands
    # Folders alone, so that nothing is downloaded.
    env = {**os.environ, "CARGO_NET_OFFLINE": "true"}
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert (done.returncode == 0) == fits, done.stderr
    assert (tmp_path / "rust/Cargo.lock").read_text() == lock
