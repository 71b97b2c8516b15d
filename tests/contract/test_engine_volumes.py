"""What `engines/volumes.py` promises, held by every engine that has volumes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from steroids.engines.spec import Handle, VolumeMount
from steroids.engines.volumes import NoVolumes, Volume
from steroids.errors import EngineError, NameTaken
from tests.support.engines import REAL, Lab

pytestmark = pytest.mark.parametrize("lab", ["fake", *REAL], indirect=True, scope="session")


@pytest.fixture(autouse=True)
def swept(lab: Lab) -> Iterator[None]:
    yield
    for owned in lab.engine.list_owned(lab.labels):
        lab.engine.remove(owned.handle)
    for volume in lab.engine.volumes.list_owned(lab.labels):
        lab.engine.volumes.remove(volume)


def create(lab: Lab, **labels: str) -> Volume:
    return lab.engine.volumes.create(lab.name(), {**lab.labels, **labels})


def run(lab: Lab, handle: Handle, script: str) -> str:
    return lab.engine.exec(handle, ["sh", "-c", script]).output.decode()


def test_creating_the_same_volume_again_finds_the_same(lab: Lab) -> None:
    name = lab.name()

    with ThreadPoolExecutor(12) as pool:
        made = list(pool.map(lambda _: lab.engine.volumes.create(name, lab.labels), range(36)))

    assert made == [Volume(name, lab.labels)] * 36
    assert lab.engine.volumes.list_owned(lab.labels) == [made[0]]


def test_a_name_that_belongs_to_another_volume_is_taken(lab: Lab) -> None:
    there = create(lab)

    with pytest.raises(NameTaken, match=there.name) as caught:
        lab.engine.volumes.create(there.name, {**lab.labels, "n": "2"})

    assert caught.value.hint
    assert lab.engine.volumes.list_owned(lab.labels) == [there]


def test_owned_volumes_are_listed_by_all_of_the_labels(lab: Lab) -> None:
    one, two = create(lab, case="list", n="1"), create(lab, case="list", n="2")
    create(lab, case="another", n="1")

    listed = lab.engine.volumes.list_owned({"case": "list", **lab.labels})

    assert sorted(listed, key=lambda each: each.labels["n"]) == [one, two]
    assert lab.engine.volumes.list_owned({"case": "list", "n": "2"}) == [two]
    assert lab.engine.volumes.list_owned({"case": "list", "n": "3"}) == []


def test_removing_may_be_repeated(lab: Lab) -> None:
    volume = create(lab)

    lab.engine.volumes.remove(volume)
    lab.engine.volumes.remove(volume)

    assert lab.engine.volumes.list_owned(lab.labels) == []


def test_a_volume_in_use_stays_until_its_container_is_gone(lab: Lab) -> None:
    volume = create(lab)
    handle = lab.start(volumes=(VolumeMount(volume.name, "/mnt"),))

    with pytest.raises(EngineError, match=volume.name):
        lab.engine.volumes.remove(volume)
    lab.engine.stop(handle, 0)
    with pytest.raises(EngineError, match=volume.name):
        lab.engine.volumes.remove(volume)
    assert lab.engine.volumes.list_owned(lab.labels) == [volume]

    lab.engine.remove(handle)
    assert lab.engine.volumes.list_owned(lab.labels) == [volume]
    lab.engine.volumes.remove(volume)
    assert lab.engine.volumes.list_owned(lab.labels) == []


def test_a_volume_that_is_not_there_is_refused_and_not_made(lab: Lab) -> None:
    spec = lab.spec(volumes=(VolumeMount(lab.name(), "/mnt"),), labels={"case": lab.name()})

    with pytest.raises(EngineError, match=spec.volumes[0].volume):
        lab.engine.start(spec)

    assert lab.engine.list_owned(spec.labels) == []
    # Were it there, its labels would be others.
    lab.engine.volumes.create(spec.volumes[0].volume, lab.labels)


def test_an_engine_without_volumes_has_none_and_makes_none(lab: Lab) -> None:
    none = NoVolumes("local")

    assert none.list_owned({}) == []
    none.remove(Volume("x", {}))
    with pytest.raises(EngineError, match="local"):
        none.create("x", {})
