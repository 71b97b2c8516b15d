"""Images and commits, held by every engine."""

from pathlib import Path

import pytest

from steroids.engines.spec import File
from steroids.errors import EngineError, ImageMissing
from tests.support.engines import REAL, TINY_IMAGE, Lab, tiny_rootfs

LABELS = {"made": "here", "plain": "a b/c:1"}


def committed(lab: Lab, ref: str, **fields: object) -> str:
    handle = lab.start("echo up; sleep 60", **fields)
    return lab.engine.commit(
        handle,
        ref,
        labels={**lab.labels, **LABELS},
        command=["sh", "-c", "cat $STEROIDS_ROOT/etc/kept; wait"],
    )


def test_an_image_is_found_by_name_and_by_id(lab: Lab) -> None:
    image = lab.engine.images.find(lab.image)

    assert image
    assert lab.image in image.refs
    assert image.id.startswith("sha256:")
    assert image.size_bytes > 0
    assert image.created_at.tzinfo
    assert lab.engine.images.find(image.id) == image
    assert lab.engine.images.find("localhost/steroids/nosuch:1") is None


def test_a_commit_keeps_the_files_and_sets_the_command(lab: Lab) -> None:
    ref = lab.ref()

    image_id = committed(lab, ref, files=(File("/etc/kept", b"still here\n"),))
    handle = lab.start(image=ref, command=())

    image = lab.engine.images.find(ref)
    assert image and image.id == image_id
    assert b"".join(lab.engine.logs(handle, tail=1)) in (b"", b"still here\n")
    assert next(lab.engine.logs(handle, follow=True)) == b"still here\n"


def test_a_commit_replaces_the_labels(lab: Lab) -> None:
    ref = lab.ref()

    committed(lab, ref, labels={"section": "API", "plain": "other"})

    image = lab.engine.images.find(ref)
    assert image
    shown = {key: image.labels.get(key) for key in (*LABELS, "section", "io.steroids.spec")}
    assert shown == {**LABELS, "section": None, "io.steroids.spec": None}
    assert image.id in [each.id for each in lab.engine.images.list(LABELS)]
    assert lab.engine.images.list({"section": "API"}) == []


def test_children_of_a_commit_do_not_match_by_labels_of_their_image(lab: Lab) -> None:
    ref = lab.ref()
    committed(lab, ref, labels={"case": "parent"})

    child = lab.start(image=ref, labels={"case": "child"})

    listed = [each.handle for each in lab.engine.list_owned({"case": "child", **lab.labels})]
    assert listed == [child]
    assert child not in [each.handle for each in lab.engine.list_owned(LABELS)]
    assert child not in [each.handle for each in lab.engine.list_owned({"case": "parent"})]
    assert lab.engine.list_owned({"case": "child"})[0].labels == {**lab.labels, "case": "child"}


def test_a_commit_that_fails_changes_no_image(lab: Lab) -> None:
    before = {image.id: image for image in lab.engine.images.list(lab.labels)}
    handle = lab.start()

    with pytest.raises(EngineError):
        lab.engine.commit(
            handle, "localhost/steroids/NOT-A-NAME:1", labels=lab.labels, command=["true"]
        )

    assert {image.id: image for image in lab.engine.images.list(lab.labels)} == before


def test_a_name_moves_to_the_newer_commit(lab: Lab) -> None:
    ref = lab.ref()
    first = committed(lab, ref)

    second = committed(lab, ref, files=(File("/etc/kept", b"2"),))

    image = lab.engine.images.find(ref)
    assert image and image.id == second != first


BUILDING = pytest.mark.parametrize("lab", ["fake", *REAL], indirect=True, scope="session")
"""For those that build images; of `local`, which does not, `test_local.py` says so."""


def build(lab: Lab, folder: Path, run: str, ref: str) -> list[str]:
    (folder / "Dockerfile").write_text(f"ARG BASE\nFROM ${{BASE}}\nRUN {run}\n")
    lines: list[str] = []
    image = lab.engine.images.build(
        folder, ref, args={"BASE": lab.image}, labels=lab.labels, progress=lines.append
    )
    assert ref in image.refs
    assert image.labels["io.steroids.test"]
    return lines


@BUILDING
def test_a_build_shows_its_lines(lab: Lab, tmp_path: Path) -> None:
    ref = lab.ref()
    # A text of its own: a build that comes from the cache says nothing.
    lines = build(lab, tmp_path, f"echo built {ref}", ref)

    assert f"built {ref}" in lines
    assert all(line.strip() and "\n" not in line for line in lines)


@BUILDING
def test_a_build_that_fails_shows_the_end_of_its_output(lab: Lab, tmp_path: Path) -> None:
    ref = lab.ref()
    with pytest.raises(EngineError) as caught:
        build(lab, tmp_path, "echo this went wrong; exit 9", ref)

    assert "9" in caught.value.message
    assert "this went wrong" in caught.value.details["tail"]
    assert lab.engine.images.find(ref) is None


@BUILDING
def test_a_build_without_a_dockerfile_says_so(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="Dockerfile"):
        lab.engine.images.build(tmp_path, lab.ref(), args={}, labels={}, progress=print)


@BUILDING
def test_a_root_file_system_becomes_an_image(lab: Lab, tmp_path: Path) -> None:
    image = lab.engine.images.load_rootfs(tiny_rootfs(tmp_path), lab.ref())
    try:
        handle = lab.start("echo it runs", image=image.refs[0])
        assert lab.ended(handle) == 0
        assert lab.output(handle) == b"it runs\n"
    finally:
        lab.engine.remove(handle)
        lab.engine.images.remove(image.refs[0])


def test_a_root_file_system_that_is_missing_or_none_is_refused(
    real_lab: Lab, tmp_path: Path
) -> None:
    (tmp_path / "text.tar").write_bytes(b"this is no tar\n" * 100)

    for name in ("missing.tar", "text.tar"):
        with pytest.raises(EngineError, match=name):
            real_lab.engine.images.load_rootfs(tmp_path / name, TINY_IMAGE + "-never")
    assert real_lab.engine.images.find(TINY_IMAGE + "-never") is None


def test_an_image_that_no_registry_has_cannot_be_pulled(lab: Lab) -> None:
    # Port 9 (discard) of this machine: a registry that can never be reached, anywhere.
    with pytest.raises(ImageMissing) as caught:
        lab.engine.images.pull("127.0.0.1:9/steroids/nosuch:1", progress=lambda _: None)

    assert "127.0.0.1:9/steroids/nosuch:1" in caught.value.message
    assert caught.value.hint


def test_an_image_is_removed_once_nothing_holds_it(lab: Lab) -> None:
    ref = lab.ref()
    image_id = committed(lab, ref)
    handle = lab.start(image=ref, command=("sh", "-c", "sleep 60"))

    with pytest.raises(EngineError):
        lab.engine.images.remove(ref)
    assert lab.engine.images.find(ref)

    lab.engine.remove(handle)
    lab.engine.images.remove(ref)
    lab.engine.images.remove(ref)
    assert lab.engine.images.find(ref) is None
    assert lab.engine.images.find(image_id) is None
