"""What our own containers look like from inside, to the module alone: nothing else is there."""

import io
import json
import sys
import zipfile
from pathlib import Path

import pytest

import steroids
from steroids.engines.spec import File, Mount, Status
from steroids.provisioning.images import ImageSettings, ensure_runner_image
from tests.support.engines import REAL, Lab, eventually

NEEDED = ("__init__.py", "containment/__init__.py", "containment/detect.py", "containment/facts.py")
LOOKS = """
import json
from steroids.containment import facts
found = {"is": facts.is_container_environment(), "certain": facts.has_evidence()}
print(json.dumps({**found, "why": facts.container_indicators(), "words": facts.words()}))
"""


def packed() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in NEEDED:
            archive.write(Path(steroids.__file__).parent / name, f"steroids/{name}")
    return content.getvalue()


@pytest.mark.parametrize("hidden", [False, True])
def test_a_container_knows_that_it_is_one(real_lab: Lab, hidden: bool) -> None:
    # Podman's file is a mount; Docker's can go, and what is mounted at / stays.
    hide = "rm -f /.dockerenv; " if hidden else ""
    # Not every base has Python; what runners are made from does.
    image = ensure_runner_image(real_lab.engine, ImageSettings(), progress=print)
    handle = real_lab.start(
        f'{hide}exec python3 -c "$LOOKS"',
        image=image.id,
        files=[File("/tmp/steroids.zip", packed(), 0o644)],
        env={"PYTHONPATH": "/tmp/steroids.zip", "LOOKS": LOOKS},
    )
    ended = real_lab.ended(handle)
    said = real_lab.output(handle).decode()
    assert ended == 0, said
    found = json.loads(said)
    assert (found["is"], found["certain"]) == (True, True)
    engine = real_lab.engine.name
    mark = {"docker": "/.dockerenv", "podman": "/run/.containerenv"}[engine]
    assert (f"{engine}: {mark}" in found["why"]) == (engine == "podman" or not hidden)
    assert f"{engine}: the mount at /" in found["why"]
    assert found["words"] == f"yes ({', '.join(found['why'])})"


@pytest.mark.parametrize("real_lab", [REAL[0]], indirect=True)
def test_one_controller_in_a_container(real_lab: Lab) -> None:
    """With this machine's own Python and packages: the image has none of them."""
    checkout = Path(steroids.__file__).parent.parent
    places = {str(checkout), sys.prefix, sys.base_prefix, "/usr"}
    tops = [each for each in places if not any(each.startswith(f"{top}/") for top in places)]
    handle = real_lab.start(
        'cd / && exec "$PYTHON" -m tests.support.contained',
        mounts=[Mount(each, each, read_only=True) for each in sorted(tops)],
        env={"PYTHON": sys.executable, "PYTHONPATH": str(checkout), "PATH": "/usr/bin:/bin"},
    )
    ended = lambda: real_lab.engine.inspect(handle).status is not Status.RUNNING  # noqa: E731
    eventually(ended, timeout_s=300)
    assert real_lab.output(handle).decode().strip() == "all as it should be"
