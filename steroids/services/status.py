"""What `runners status` tells: who works, and who waits for a place."""

from sqlmodel import col, select

from steroids.services import demand, runners
from steroids.services.host import Host, OpenProject
from steroids.services.prospects import prospects
from steroids.store import project_models as db
from steroids.wire.runner import WORKERS, Queued, Role, RunnersStatus


def status(host: Host, project: OpenProject) -> RunnersStatus:
    active = [each for each in runners.listing(host, project) if each.role in WORKERS]
    settings = host.settings(project)
    limit = settings.runners.max_parallel
    running = {each.section_id for each in active}
    single = any(each.role is Role.SINGLE for each in active)
    with project.store.read() as session:
        wanted = select(db.Section).where(col(db.Section.wanted).is_not(None))
        missing = [each for each in session.exec(wanted) if each.id not in running]
        rules = demand.rules_of(session, settings.runners)
        ahead = prospects(session, rules)
        queued = []
        for section in missing:
            if section.id not in rules.sections:
                continue
            before = rules.blocked_by(section.id)
            if before:
                reason = f"waits until {', '.join(each.name for each in before)} is finished"
            elif section.skipped:
                reason = "is skipped"
            elif ahead.waits(section.id):
                reason = f"waits for {ahead.waits_for(section.id) or 'what will not be completed'}"
            elif single:
                reason = "waits for the single runner to end"
            elif len(active) >= limit:
                reason = f"waits for a place: {len(active)} of {limit} are taken"
            else:
                reason = "is being started"
            queued.append(Queued(section=section.name, reason=reason))
    return RunnersStatus(runners=active, queued=queued, max_parallel=limit)
