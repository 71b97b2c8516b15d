"""What pruning takes and what it leaves: real stores and git, an engine in memory."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from steroids.engines.images import Image
from steroids.engines.spec import ContainerSpec, VolumeMount
from steroids.errors import EngineError
from steroids.provisioning import retiring
from steroids.provisioning.retiring import LABEL, LATEST, MADE_FROM, RUNNER
from steroids.provisioning.setup import setup_at
from steroids.provisioning.site import LABEL as OWN
from steroids.provisioning.site import owned_by
from steroids.provisioning.snapshot import reference
from steroids.services import images, places, pruning, pruning_snapshots, target
from steroids.store.columns import utc_now
from steroids.wire.images import Prune
from steroids.wire.runner import RunnerStatus
from tests.support.service import Bench


@pytest.fixture
def runners(project: Bench) -> list[Image]:
    """Five runner images, the oldest first; the second is called the latest."""
    add = project.engine.images.add
    made = [add(f"{RUNNER}:{number}", labels={LABEL: "runner"}) for number in range(5)]
    project.engine.images._name(made[1].id, LATEST)
    return made


def snapshot(bench: Bench, name: str, made_from: Image, project_id: str | None = None) -> Image:
    labels = {LABEL: "snapshot", f"{OWN}.project": project_id or bench.project.id}
    return bench.engine.images.add(
        f"localhost/steroids/app:{name}", labels={**labels, MADE_FROM: made_from.id}
    )


def names(bench: Bench, kind: str) -> list[str]:
    found = bench.engine.images.list({LABEL: kind})
    return sorted(ref.rpartition(":")[2] for image in found for ref in image.refs)


def keep(bench: Bench, number: int) -> None:
    (bench.host.path / "config.yaml").write_text(f"snapshots: {{keep: {number}}}\n")


def test_the_newest_stay_and_what_a_snapshot_is_made_from(
    project: Bench, runners: list[Image]
) -> None:
    snapshot(project, "a", runners[0])
    dry = pruning.prune(project.host, Prune(keep=1, dry_run=True))
    assert names(project, "runner") == ["0", "1", "2", "3", "4", "latest"]
    done = pruning.prune(project.host, Prune(keep=1))
    assert names(project, "runner") == ["0", "1", "4", "latest"]
    assert [line.what for line in done.removed] == ["runner:3", "runner:2"]
    assert [line.what for line in dry.removed] == [line.what for line in done.removed]
    assert done.freed_bytes == runners[2].size_bytes + runners[3].size_bytes
    assert not done.at_least and dry.at_least
    assert pruning.prune(project.host, Prune(keep=1)).removed == []


def test_an_engine_that_cannot_say_what_images_take_is_pruned_all_the_same(
    project: Bench, runners: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy() -> None:
        raise EngineError("a container went while it was counted")

    monkeypatch.setattr(project.engine.images, "usage", busy)
    done = pruning.prune(project.host, Prune(keep=1))
    assert names(project, "runner") == ["1", "4", "latest"]
    assert len(done.removed) == 3 and done.at_least


def test_one_whose_name_another_got_is_old_however_new(
    project: Bench, runners: list[Image]
) -> None:
    project.engine.images.add(f"{RUNNER}:4", labels={LABEL: "runner"})
    pruning.prune(project.host, Prune(keep=4))
    assert project.engine.images.find(runners[4].id) is None
    assert names(project, "runner") == ["1", "2", "3", "4", "latest"]


def test_what_settings_mean_stays(
    project: Bench, runners: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(project, 1)
    old = runners[0]
    monkeypatch.setattr(pruning_snapshots, "present_runner_image", lambda *_: old)
    place = places.site(project.host, project.project, project.engine, None)
    setup = setup_at(project.project.mirror, target.fetch(project.project), None)
    ref, _ = reference(place, old, setup)
    labels = {LABEL: "snapshot", f"{OWN}.project": project.project.id}
    project.engine.images.add(ref, labels=labels)
    for name in "abc":
        snapshot(project, name, runners[4])
    pruning.prune(project.host, Prune(keep=None))
    assert project.engine.images.find(ref) is not None
    assert [name for name in names(project, "snapshot") if name in "abc"] == ["c"]
    assert "0" in names(project, "runner")


def test_one_that_a_container_is_made_of_stays_and_is_counted(
    project: Bench, runners: list[Image]
) -> None:
    for name in "ab":
        snapshot(project, name, runners[4])
    ref = "localhost/steroids/app:a"
    project.engine.start(ContainerSpec(name="x", image=ref, command=("sh", "-c", "wait")))
    done = pruning.prune(project.host, Prune(all=True))
    assert names(project, "snapshot") == ["a"]
    assert names(project, "runner") == []
    assert done.in_use == 1


def test_a_project_s_are_its_own_and_another_home_s_stay(
    project: Bench, runners: list[Image]
) -> None:
    keep(project, 1)
    for name in "ab":
        snapshot(project, name, runners[0])
        snapshot(project, f"other-{name}", runners[0], "another home's")
    pruning.prune(project.host, Prune(project=str(project.repo.path)))
    assert names(project, "snapshot") == ["b", "other-a", "other-b"]
    assert len(names(project, "runner")) == 6
    pruning.prune(project.host, Prune())
    assert names(project, "snapshot") == ["b", "other-a", "other-b"]


def test_everything_takes_what_no_living_runner_has(project: Bench) -> None:
    engine = project.engine
    mine = {**owned_by(project.host.id), f"{OWN}.role": "section"}
    project.section("api")
    living = project.runner("api")
    for name, runner in (("dead", "gone"), ("alive", living.id)):
        engine.images.add(f"localhost/x:{name}")
        spec = ContainerSpec(
            name=name,
            image=f"localhost/x:{name}",
            labels={**mine, f"{OWN}.runner": runner},
            command=("sh", "-c", "wait"),
        )
        engine.start(spec)
        engine.networks.create(f"net-{name}", {**mine, f"{OWN}.runner": runner})
    engine.start(ContainerSpec(name="foreign", image="localhost/x:dead"))
    done = pruning.prune(project.host, Prune(everything=True, dry_run=True))
    assert {line.what for line in done.removed} == {"container dead", "network net-dead"}
    assert len(engine.list_owned(mine)) == 2
    pruning.prune(project.host, Prune(everything=True))
    assert [each.handle.name for each in engine.list_owned(mine)] == ["alive"]
    assert [each.name for each in engine.networks.list_owned(mine)] == ["net-alive"]


def test_caches_go_with_all_unless_a_container_has_them(project: Bench) -> None:
    engine = project.engine
    labels = {**owned_by(project.host.id), f"{OWN}.role": "cache"}
    for name in ("used", "free"):
        engine.volumes.create(name, labels)
    engine.images.add("localhost/x:1")
    mounted = (VolumeMount("used", "/c"),)
    engine.start(ContainerSpec(name="x", image="localhost/x:1", volumes=mounted))
    pruning.prune(project.host, Prune(everything=True))
    assert len(engine.volumes.list_owned(labels)) == 2
    pruning.prune(project.host, Prune(everything=True, all=True))
    assert [each.name for each in engine.volumes.list_owned(labels)] == ["used"]


def test_a_project_whose_folder_is_gone_is_forgotten_when_it_is_named(
    project: Bench, runners: list[Image]
) -> None:
    host, project_id = project.host, project.project.id
    snapshot(project, "a", runners[0])
    mirror = project.project.mirror.path
    assert pruning.prune(host, Prune(everything=True)).gone_projects == []
    shutil.move(project.repo.path, project.repo.path.with_name("elsewhere"))
    (gone,) = pruning.prune(host, Prune(everything=True)).gone_projects
    assert (gone.id, gone.path) == (project_id, str(project.repo.path))
    assert mirror.is_dir() and len(host.projects()) == 1
    # One that is somewhere is never forgotten.
    shutil.move(project.repo.path.with_name("elsewhere"), project.repo.path)
    pruning.prune(host, Prune(everything=True, projects=[project_id]))
    assert mirror.is_dir() and len(host.projects()) == 1
    shutil.move(project.repo.path, project.repo.path.with_name("elsewhere"))
    done = pruning.prune(host, Prune(everything=True, projects=[project_id]))
    assert done.gone_projects == [] and host.projects() == []
    assert not mirror.exists() and names(project, "snapshot") == []


def test_one_that_somebody_works_for_is_not_gone(project: Bench) -> None:
    project.section("api")
    runner = project.runner("api")
    shutil.move(project.repo.path, project.repo.path.with_name("elsewhere"))
    assert pruning.prune(project.host, Prune(everything=True)).gone_projects == []
    with project.host.store.write() as session:
        row = session.merge(runner)
        row.status = RunnerStatus.STOPPED
        session.add(row)
    assert len(pruning.prune(project.host, Prune(everything=True)).gone_projects) == 1


def test_a_build_takes_only_what_is_old_and_not_young(
    project: Bench, runners: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    retiring.retire(project.engine)
    assert len(names(project, "runner")) == 6
    monkeypatch.setattr(retiring, "utc_now", lambda: utc_now() + timedelta(days=2))
    retiring.retire(project.engine)
    assert names(project, "runner") == ["1", "2", "3", "4", "latest"]


def test_the_list_has_images_and_volumes_with_what_is_their_own(
    project: Bench, runners: list[Image], tmp_path: Path
) -> None:
    snapshot(project, "a", runners[0])
    labels = {**owned_by(project.host.id), f"{OWN}.role": "cache"}
    project.engine.volumes.create("kept", {**labels, f"{OWN}.project": project.project.id})
    lines = images.listing(project.host, "fake")
    found = {(line.kind, line.ref, line.project) for line in lines}
    assert ("snapshot", "localhost/steroids/app:a", "app") in found
    assert ("runner", f"{RUNNER}:1", None) in found
    assert lines[-1].kind == "cache" and lines[-1].project == "app"
    (line,) = [line for line in lines if line.kind == "snapshot"]
    assert line.own_bytes == line.size_bytes
