"""With `sparse`, what runners, checks and snapshots are told to have, and who has all files."""

from steroids.services import fresh, parts, places, sections, target
from steroids.store import home_models as home
from steroids.wire.assignment import Assignment, Checkout, Kind, Sparse
from tests.support.service import Bench


def sparse_project(project: Bench, *, on: bool = True) -> None:
    project.repo.commit(
        "more", {**{f"apps/{name}/x": "1\n" for name in ("lib", "base", "web")}, "docs/a": "1\n"}
    )
    project.repo.git("push", "--quiet", "origin", "main")
    (project.host.path / "config.yaml").write_text(f"sparse: {str(on).lower()}\n")
    for name, dependencies in (("base", ()), ("lib", ("base",)), ("api", ("lib",)), ("web", ())):
        project.section(name, *dependencies, check=("sh docs/a",) if name == "web" else ())


def checkout_of(project: Bench, assignment: Assignment | None) -> Checkout:
    assert assignment is not None and assignment.checkout is not None
    return assignment.checkout


def test_a_claim_names_the_sections_files_its_dependencies_and_what_was_changed(
    project: Bench,
) -> None:
    sparse_project(project)
    project.task("One", "api")
    project.task("Two", "web")
    api = project.runner("api")
    first = project.claim(api)
    checkout = checkout_of(project, first)
    assert checkout.sparse == Sparse(folders=["apps/api", "apps/base", "apps/lib"])
    web = checkout_of(project, project.claim(project.runner("web")))
    assert web.sparse == Sparse(folders=["apps/web", "docs/a"])
    assert first is not None and first.task is not None
    assert "git sparse-checkout add" in " ".join(first.task.prompt.split())

    # What an attempt did elsewhere, the next one and its checks see.
    tip = project.work(first, "Own", {"apps/api/a": "2\n", "apps/web/x": "2\n", "apps/b/new": ""})
    project.submit(api, first, tip)
    place = places.site(project.host, project.project, project.engine, None)
    assert place.reads is None
    seen = _checked(project, checkout.commit, tip)
    assert seen.sparse is not None
    assert (seen.sparse.folders, seen.sparse.files) == (
        checkout.sparse.folders,
        ["apps/b/new", "apps/web/x"],
    )
    assert seen.setup_key == checkout.setup_key


def _checked(project: Bench, base: str, tip: str) -> Checkout:
    """What a check of that tip is brought to."""
    with project.project.store.read() as session:
        section = sections.named(session, "api")
    place = places.site(project.host, project.project, project.engine, section)
    return fresh.checkout_at(project.project, place, base, tip)


def test_without_it_and_for_a_single_runner_everything_is_there(project: Bench) -> None:
    sparse_project(project)
    assert not parts.is_for_all(project.host, project.project)
    with project.host.store.write() as session:
        row = session.get_one(home.Project, project.project.id)
        row.wanted = "fake"
        session.add(row)
    tip = target.fetch(project.project)
    assert _checked(project, tip, tip).sparse is None
    (project.host.path / "config.yaml").write_text("sparse: false\n")
    with project.host.store.write() as session:
        row = session.get_one(home.Project, project.project.id)
        row.wanted = None
        session.add(row)
    project.task("One", "api")
    whole = project.claim(project.runner("api"))
    assert checkout_of(project, whole).sparse is None
    assert whole is not None and whole.kind is Kind.CODE and whole.task is not None
    assert "sparse-checkout" not in whole.task.prompt
