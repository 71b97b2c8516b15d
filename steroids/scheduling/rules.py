"""What the sections and zones of a project demand of each of its tasks. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from steroids.scheduling.globs import any_intersect
from steroids.scheduling.locks import (
    PROJECT,
    Lock,
    files_resource,
    section_resource,
    zone_resource,
)
from steroids.scheduling.sections import SectionView, blocked_by, in_order, reachable


@dataclass(frozen=True)
class TaskView:
    id: str
    section_id: str
    priority: int = 50
    position: int = 0
    paths: tuple[str, ...] = ()
    """Globs of the files that it says it will change."""


@dataclass(frozen=True)
class ZoneView:
    name: str
    places: int
    paths: tuple[str, ...] = ()
    sections: frozenset[str] = frozenset()
    """Names, in lower case."""


@dataclass(frozen=True)
class Rules:
    """`dependents_only`: a task of an exclusive section has for itself only its section and those
    that depend on it, not the whole project."""

    sections: Mapping[str, SectionView]
    zones: Sequence[ZoneView] = ()
    unfinished: Collection[str] = field(default_factory=frozenset)
    """Ids of sections with tasks that those after them have to wait for."""
    dependents_only: bool = False

    def in_order(self) -> list[SectionView]:
        return in_order(self.sections)

    def blocked_by(self, section_id: str) -> list[SectionView]:
        """What this section comes after and has to wait for."""
        return blocked_by(self.sections[section_id], self.sections, self.unfinished)

    def locks_of_section(self, section_id: str) -> frozenset[Lock]:
        """Those that each of its tasks needs, whatever it is about."""
        section = self.sections[section_id]
        locks = {
            Lock(section_resource(other), False)
            for other in reachable(section_id, self._reads)
            if other in self.sections
        }
        alone = section.exclusive and not self.dependents_only
        locks.add(Lock(PROJECT, alone))
        if section.exclusive and self.dependents_only:
            for other in self.sections:
                if section_id in reachable(other, self._reads):
                    locks.discard(Lock(section_resource(other), False))
                    locks.add(Lock(section_resource(other), True))
        locks.add(Lock(section_resource(section_id), True))
        return frozenset(locks)

    def locks_of(self, task: TaskView) -> frozenset[Lock]:
        """All that the task needs before it may begin."""
        files = {Lock(files_resource(glob), True) for glob in task.paths}
        return self.locks_of_section(task.section_id) | files | self._places(task)

    def _places(self, task: TaskView) -> set[Lock]:
        section = self.sections[task.section_id]
        paths = task.paths or section.paths
        return {
            Lock(zone_resource(zone.name), zone.places == 1, zone.places)
            for zone in self.zones
            if section.name.casefold() in zone.sections or any_intersect(paths, zone.paths)
        }

    @cached_property
    def _reads(self) -> dict[str, frozenset[str]]:
        return {section.id: section.dependencies for section in self.sections.values()}
