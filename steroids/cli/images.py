from datetime import UTC, datetime

import click

from steroids.cli.command import Context, Group, address, pass_context
from steroids.cli.output import Transient, ago, plain, size
from steroids.cli.prune import show_pruned
from steroids.errors import SteroidsError
from steroids.wire.body import to_builtins
from steroids.wire.error import RemoteError
from steroids.wire.images import BuildLine, ImageLine, ImageLines, ImagesBuild, Prune, Pruned


@click.group(cls=Group)
def images() -> None:
    """Build, list and remove the images that runners start from."""


@images.command("build")
@click.option("--engine", envvar="STEROIDS_ENGINE", help="auto, docker, podman, or an address.")
@click.option("--base", metavar="IMAGE", help="Build on this image.")
@click.option(
    "--from", "from_image", metavar="IMAGE", help="Make your own image a runner's; devcontainer."
)
@click.option(
    "--package", "packages", multiple=True, metavar="NAME", help="A Debian package besides."
)
@click.option("--bootstrap", is_flag=True, help="Make the base from Debian's packages.")
@click.option("--ca-bundle", type=click.Path(exists=True, dir_okay=False, resolve_path=True))
@click.option("--rebuild", is_flag=True, help="Even when it is there, with newer packages.")
@pass_context
def build(
    context: Context,
    engine: str | None,
    base: str | None,
    from_image: str | None,
    packages: tuple[str, ...],
    bootstrap: bool,
    ca_bundle: str | None,
    rebuild: bool,
) -> None:
    """Build the runner image; quick when it is there."""
    body = ImagesBuild(
        engine=engine,
        base=base,
        bootstrap=bootstrap,
        ca_bundle=ca_bundle,
        from_image=from_image,
        packages=list(packages),
        project=context.project_if_any(),
        rebuild=rebuild,
    )
    made: ImageLine | None = None
    transient = Transient()
    for line in context.builder.stream("/v1/images", BuildLine, method="POST", body=body):
        if line.failure is not None:
            transient.clear()
            raise RemoteError(line.failure, 500)
        if line.progress and _is_news(line.progress) and not context.out.verbose:
            transient.clear()
            context.out.note(line.progress)
        elif line.progress and context.out.verbose:
            context.out.note(f"  {line.progress}")
        elif line.progress and not context.out.quiet:
            transient.show(f"image     {plain(line.progress)}")
        made = line.image or made
    transient.clear()
    if made is None:
        raise SteroidsError("The build ended without an answer", hint="steroids daemon logs")
    if context.out.json:
        context.out.result({"image": to_builtins(made)})
        return
    context.out.line(f"{made.ref}  on {made.engine}  {size(made.size_bytes)}")


def _is_news(progress: str) -> bool:
    """What is not only on the way: which base was taken, what was left out."""
    return progress.startswith(("Base: ", "Containers will trust", "The host's ")) or (
        ": left out: " in progress
    )


@images.command("list")
@click.option("--engine", help="Only this one's.")
@pass_context
def list_(context: Context, engine: str | None) -> None:
    """List what engines keep for Steroids, newest first.

    OWN is what nothing else shares, and so what removing it frees.
    """
    answer = context.client.get(address("images", engine=engine), ImageLines)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    if not answer.images:
        context.out.note("no images yet\nhint: steroids images build")
        return
    now = datetime.now(UTC)
    rows = [
        (
            each.ref.removeprefix("localhost/steroids/"),
            each.kind,
            each.project or "",
            each.engine,
            size(each.size_bytes),
            size(each.own_bytes),
            str(each.containers or ""),
            ago((now - each.created_at).total_seconds()) if each.created_at else "",
        )
        for each in answer.images
    ]
    heads = ("IMAGE", "KIND", "PROJECT", "ENGINE", "SIZE", "OWN", "CONTAINERS", "CREATED")
    context.out.table(heads, rows)


@images.command("prune")
@click.option("--engine", help="Only this one's.")
@click.option("-a", "--all", "all_", is_flag=True, help="Every one that no container is made of.")
@click.option("--keep", type=click.IntRange(0), metavar="N", help="How many of each kind stay.")
@click.option("--dry-run", is_flag=True, help="Show what would go.")
@pass_context
def prune(
    context: Context,
    engine: str | None,
    all_: bool,
    keep: int | None,
    dry_run: bool,
) -> None:
    """Remove images that no setting, snapshot or container needs.

    The newest few of each kind stay. With --project only that one's snapshots go. `steroids prune`
    removes other leftovers as well.
    """
    body = Prune(
        engine=engine,
        all=all_,
        keep=keep,
        dry_run=dry_run,
        project=str(context.project()) if context.project_option else None,
    )
    show_pruned(context, context.builder.post("/v1/prune", body, Pruned), dry_run=dry_run)
