"""Builds up to a stage, and what images take: Docker and Podman as they are."""

from pathlib import Path

from tests.support.engines import Lab, real_lab

__all__ = ["real_lab"]

STAGES = """FROM {base} AS one
LABEL {label}
RUN head -c 3000000 /dev/urandom > /large
FROM one AS two
RUN false
"""


def test_a_dockerfile_of_any_name_is_built_up_to_a_stage_and_its_size_is_told(
    real_lab: Lab, tmp_path: Path
) -> None:
    (key, value), *_ = real_lab.labels.items()
    recipe = STAGES.format(base=real_lab.image, label=f"{key}={value}")
    (tmp_path / "dev.Dockerfile").write_text(recipe)
    (tmp_path / ".dockerignore").write_text("*\n")
    images = real_lab.engine.images
    image = images.build(
        tmp_path,
        real_lab.ref(),
        args={},
        labels={},
        progress=print,
        dockerfile="dev.Dockerfile",
        target="one",
    )
    before = images.usage()
    # Podman keeps the last step as an image of its own, which has the same layers.
    assert image.id in before.own_bytes
    if real_lab.engine.name == "docker":
        assert 3_000_000 <= before.own_bytes[image.id] < 4_000_000
        assert before.total_bytes is not None and before.total_bytes > image.size_bytes - 1
    assert before.containers.get(image.id, 0) == 0
    handle = real_lab.start("sleep 60", image=image.id)
    assert images.usage().containers[image.id] == 1
    real_lab.engine.remove(handle)


def test_whom_an_image_is_for_is_told(real_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {real_lab.image}\nUSER 1234:5\n")
    ref = real_lab.ref()
    made = real_lab.engine.images.build(
        tmp_path, ref, args={}, labels=real_lab.labels, progress=print
    )
    assert made.user == "1234:5"
