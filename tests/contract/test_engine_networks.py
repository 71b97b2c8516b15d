"""What `engines/networks.py` promises, held by every engine."""

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network

import pytest

from steroids.engines.networks import Network, NoNetworks
from steroids.engines.spec import Handle, Status
from steroids.engines.subnets import POOL, free_subnets
from steroids.errors import ContainerGone, EngineError, NameTaken
from tests.support.engines import REAL, Lab

# The engine `local` has none: the last test is what is to be said of that.
pytestmark = pytest.mark.parametrize("lab", ["fake", *REAL], indirect=True, scope="session")


@pytest.fixture(autouse=True)
def swept(lab: Lab) -> Iterator[None]:
    yield
    for owned in lab.engine.list_owned(lab.labels):
        lab.engine.remove(owned.handle)
    for network in lab.engine.networks.list_owned(lab.labels):
        lab.engine.networks.remove(network)


def create(lab: Lab, **labels: str) -> Network:
    return lab.engine.networks.create(lab.name(), {**lab.labels, **labels})


def test_a_network_is_what_was_asked_for(lab: Lab) -> None:
    name, labels = lab.name(), {**lab.labels, "section": "API one"}

    network = lab.engine.networks.create(name, labels, internal=True)

    assert (network.name, network.labels, network.internal) == (name, labels, True)
    assert IPv4Network(network.subnet).subnet_of(POOL)
    assert not create(lab).internal


def test_creating_the_same_network_again_finds_the_same(lab: Lab) -> None:
    name = lab.name()

    first = lab.engine.networks.create(name, {**lab.labels, "a": "1", "b": "2"})
    second = lab.engine.networks.create(name, {"b": "2", "a": "1", **lab.labels})

    assert first == second
    assert lab.engine.networks.list_owned({**lab.labels, "a": "1"}) == [first]


@pytest.mark.parametrize("change", [{"labels": {"n": "2"}}, {"internal": True}])
def test_a_name_that_belongs_to_another_network_is_taken(
    lab: Lab, change: dict[str, dict[str, str]]
) -> None:
    name = lab.name()
    there = lab.engine.networks.create(name, lab.labels)
    labels = {**lab.labels, **change.get("labels", {})}

    with pytest.raises(NameTaken) as caught:
        lab.engine.networks.create(name, labels, internal="internal" in change)

    assert name in caught.value.message
    assert lab.engine.networks.list_owned(lab.labels) == [there]


def test_of_many_at_once_one_is_made_per_name_and_none_overlaps(lab: Lab) -> None:
    names = [lab.name() for _ in range(3)]

    with ThreadPoolExecutor(9) as pool:
        made = list(pool.map(lambda n: lab.engine.networks.create(n, lab.labels), names * 3))

    by_id = {network.id: network for network in made}
    assert sorted(network.name for network in by_id.values()) == sorted(names)
    subnets = [IPv4Network(network.subnet) for network in by_id.values()]
    assert not any(a.overlaps(b) for a in subnets for b in subnets if a is not b)


def test_more_networks_can_be_made_than_dockers_own_pools_have(lab: Lab) -> None:
    made = [create(lab, case="many") for _ in range(35)]

    assert len({network.subnet for network in made}) == 35
    assert len(lab.engine.networks.list_owned({"case": "many"})) == 35


def test_owned_networks_are_listed_by_all_of_the_labels(lab: Lab) -> None:
    one, two = create(lab, case="list", n="1"), create(lab, case="list", n="2")
    create(lab, case="another", n="1")

    listed = lab.engine.networks.list_owned({"case": "list", **lab.labels})

    assert sorted(listed, key=lambda each: each.labels["n"]) == [one, two]
    assert lab.engine.networks.list_owned({"case": "list", "n": "2"}) == [two]
    assert lab.engine.networks.list_owned({"case": "list", "n": "3"}) == []


def test_what_others_made_is_not_owned(lab: Lab) -> None:
    create(lab)

    every = lab.engine.networks.list_owned({})

    # Docker's `bridge`, `host` and `none` would be the first to be swept.
    assert every and all(network.labels for network in every)


def test_removing_may_be_repeated(lab: Lab) -> None:
    network = create(lab)

    lab.engine.networks.remove(network)
    lab.engine.networks.remove(network)

    assert lab.engine.networks.list_owned(lab.labels) == []
    assert lab.engine.networks.create(network.name, lab.labels).id != network.id


def test_a_network_in_use_stays(lab: Lab) -> None:
    network, handle = create(lab), lab.start()
    lab.engine.networks.connect(network, handle, ())

    with pytest.raises(EngineError, match=network.name):
        lab.engine.networks.remove(network)
    lab.engine.stop(handle, 0)
    with pytest.raises(EngineError, match=network.name):
        lab.engine.networks.remove(network)
    assert lab.engine.networks.list_owned(lab.labels) == [network]

    lab.engine.remove(handle)
    lab.engine.networks.remove(network)
    assert lab.engine.networks.list_owned(lab.labels) == []


def test_what_is_connected_is_on_it_until_it_is_disconnected(lab: Lab) -> None:
    network, handle = create(lab), lab.start()

    for _ in range(2):
        lab.engine.networks.connect(network, handle, ("database",))
    with pytest.raises(EngineError, match=network.name):
        lab.engine.networks.remove(network)
    for _ in range(2):
        lab.engine.networks.disconnect(network, handle)

    lab.engine.networks.remove(network)
    assert lab.engine.inspect(handle).status is Status.RUNNING


def test_who_connects_what_is_gone_is_told_what_that_is(lab: Lab) -> None:
    network, handle = create(lab), lab.start()
    no_container = Handle(lab.engine.name, "deadbeef" * 8, "steroids-test-gone")
    no_network = dataclasses.replace(network, id="deadbeef" * 8, name="steroids-test-no-network")

    with pytest.raises(ContainerGone, match=no_container.name):
        lab.engine.networks.connect(network, no_container, ())
    with pytest.raises(EngineError, match=no_network.name) as caught:
        lab.engine.networks.connect(no_network, handle, ())
    assert not isinstance(caught.value, ContainerGone)

    lab.engine.networks.disconnect(network, no_container)
    lab.engine.networks.disconnect(no_network, handle)


def test_a_network_that_is_not_there_leaves_no_container(lab: Lab) -> None:
    labels = {"case": lab.name()}

    with pytest.raises(EngineError, match="steroids-test-no-network"):
        lab.start(network="steroids-test-no-network", labels=labels)

    assert lab.engine.list_owned(labels) == []


def test_a_subnet_is_free_of_all_that_is_taken() -> None:
    first = next(free_subnets("a", []))
    around = IPv4Network(f"{first.network_address}/24", strict=False)

    found = next(free_subnets("a", [first]))
    further = next(free_subnets("a", [around, IPv4Network("192.0.2.0/24")]))

    assert not found.overlaps(first) and found.subnet_of(POOL)
    assert not further.overlaps(around) and further.subnet_of(POOL)
    assert list(free_subnets("a", [IPv4Network("10.0.0.0/8")])) == []


def test_an_engine_without_networks_has_none_and_makes_none() -> None:
    none = NoNetworks("local")

    assert none.list_owned({}) == []
    none.remove(Network("1", "x", {}, ""))
    with pytest.raises(EngineError, match="local"):
        none.create("x", {})
