"""What is in volumes, which the fake engine's have nothing in."""

import pytest

from steroids.engines.spec import VolumeMount
from tests.contract.test_engine_volumes import create, run, swept
from tests.support.engines import REAL, Lab

__all__ = ["swept"]
pytestmark = pytest.mark.parametrize("lab", REAL, indirect=True, scope="session")


def test_what_is_written_outlives_the_container_and_is_shared(lab: Lab) -> None:
    volume = create(lab)
    write, read = VolumeMount(volume.name, "/mnt"), VolumeMount(volume.name, "/srv", True)
    first = lab.start(volumes=(write,))
    run(lab, first, "echo one > /mnt/kept")
    lab.engine.remove(first)

    reader, writer = lab.start(volumes=(read,)), lab.start(volumes=(write,))

    assert run(lab, reader, "cat /srv/kept") == "one\n"
    run(lab, writer, "echo two > /mnt/kept")
    assert run(lab, reader, "cat /srv/kept") == "two\n"
    assert "Read-only" in run(lab, reader, "echo three > /srv/kept")
    assert run(lab, writer, "cat /mnt/kept") == "two\n"


def test_an_empty_volume_begins_as_the_images_folder_does(lab: Lab) -> None:
    maker = lab.start(capabilities=("CHOWN", "DAC_OVERRIDE"))
    run(lab, maker, "mkdir -m 750 /cache && echo from-image > /cache/a && chown 1000:1000 /cache")
    ref = lab.ref()
    lab.engine.commit(maker, ref, labels=lab.labels, command=["sleep", "60"])
    volume = create(lab)
    mount = VolumeMount(volume.name, "/cache")

    first = lab.start(image=ref, volumes=(mount,))
    assert run(lab, first, "stat -c '%a %u %g' /cache") == "750 1000 1000\n"
    lab.engine.exec(first, ["sh", "-c", "rm /cache/a; echo b > /cache/b"], user="1000")
    second = lab.start(image=ref, volumes=(mount,))

    # Once: what was removed of it does not come back.
    assert lab.engine.exec(second, ["ls", "/cache"], user="1000").output == b"b\n"
