# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do with a volume: create, restore, change, attach, detach, remove (private)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from .._core.errors import InvalidError
from .._core.plan import Plan, Step
from .._lifecycle.power import Timing, restarting, shut_down, start
from .._models.catalogue import VolumeType
from .._models.resources import Instance, Volume
from .._models.status import OFF, RUNNING
from .._models.volumes import grown, names_of, planned_volume
from .._providers.base.client import Client
from .._providers.base.views import show_volume
from .._providers.names import module_of
from .operations import NewVolume, VolumeWork
from .options import VolumeOptions

Do = Callable[..., "str | None"]


@dataclass
class FoundVolumes:
    """What a run knows before it plans; ``work`` is what its steps work on, ``gone`` dead holders.

    ``usual_type`` is that of a new volume unless another is asked for.
    """

    now: datetime
    usual_type: str = ""
    living: list[Volume] = field(default_factory=list)
    trashed: list[Volume] = field(default_factory=list)
    machines: dict[str, Instance] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    target: Instance | None = None
    types: dict[str, VolumeType] = field(default_factory=dict)
    work: VolumeWork | None = None


@dataclass
class Draft:
    """A plan in the making: steps that wait as far as asked, and what the volume is after them."""

    found: FoundVolumes
    want: VolumeOptions
    row: Volume
    timing: Timing
    todo: list[tuple[str, Do]] = field(default_factory=list)
    moves: list[tuple[str, Do]] = field(default_factory=list)
    cycled: list[Instance] = field(default_factory=list)

    def steps(self) -> tuple[Step, ...]:
        """Return the steps; only the last one may leave without waiting for its end."""
        machines, steps = self.cycled, list[Step]()
        free = not machines and not self.want["wait"]
        last = (self.moves or self.todo)[-1:] if free else []
        for name, do in self.todo:
            steps.append(Step(name, partial(do, wait=(name, do) not in last)))
        for machine in machines:
            steps.append(self._switch("shut down", shut_down, machine, machines))
        for name, do in self.moves:
            move = partial(do, wait=(name, do) not in last)
            steps.append(Step(name, restarting(move, machines, self.timing)))
        for number, machine in enumerate(machines, start=1):
            steps.append(self._switch("start", start, machine, machines[number:]))
        return tuple(steps)

    def _switch(
        self,
        verb: str,
        do: Callable[[Client, Instance, Timing], None],
        machine: Instance,
        others: list[Instance],
    ) -> Step:
        def switch(client: Client) -> None:
            do(client, machine, self.timing)

        return Step(f"{verb} {_name(machine)}", restarting(switch, others, self.timing))

    def must_be_off(self, machine_id: str) -> None:
        """Note that an instance must be off, or raise InvalidError when nobody allowed that."""
        machine = self.found.machines.get(machine_id)
        if machine_id in self.found.gone:
            return
        if machine is None:
            raise InvalidError(
                f"Volume {self.row.name} is attached to instance {machine_id}, which is not "
                f"known to be of deployment {self.want['deployment']!r}",
                hint="Instances of others are never changed.",
            )
        state = machine.state
        if state == OFF or machine in self.cycled:
            return
        why = "the cloud attaches and detaches volumes only while the instance is off"
        if state != RUNNING:
            raise InvalidError(
                f"{_name(machine)} is {machine.status}, and {why}",
                hint="Wait until it runs or is off.",
            )
        if not self.want["power_cycle"]:
            raise InvalidError(
                f"{_name(machine)} is running, and {why}",
                hint="Stop it first, or write power_cycle: true, which shuts it down for the "
                "change and starts it again.",
            )
        self.cycled.append(machine)

    def release(self, work: VolumeWork, machine_ids: list[str]) -> None:
        """Detach the volume from instances."""
        if set(machine_ids) - self.found.gone and self.row.is_boot:
            raise InvalidError(
                f"An instance boots from volume {self.row.name} ({self.row.id}), so it cannot "
                "be detached",
                hint=f"It goes, or stays, with its instance: os_volume of {module_of('instance')}.",
            )
        for machine_id in machine_ids:
            self.must_be_off(machine_id)
            gone = machine_id in self.found.gone
            do = partial(work.let_go if gone else work.detach, machine_id=machine_id)
            machine = self.found.machines.get(machine_id)
            where = _name(machine) if machine else f"instance {machine_id}, which is gone"
            self.moves.append((f"detach volume {work.label} from {where}", do))
        if machine_ids:
            self._hold([i for i in self.row.holders if i not in machine_ids])

    def attach(self, work: VolumeWork, machine: Instance) -> None:
        """Attach the volume to an instance."""
        self.must_be_off(machine.id)
        do = partial(work.attach, machine_id=machine.id)
        self.moves.append((f"attach volume {work.label} to {_name(machine)}", do))
        self._hold([*self.row.holders, machine.id])

    def _hold(self, ids: list[str]) -> None:
        status = "attached" if ids else "detached"
        self.row = replace(self.row, status=status, holders=tuple(ids))


def _name(machine: Instance) -> str:
    return f"{machine.name} ({machine.id})"


def _work(row: Volume, timing: Timing) -> VolumeWork:
    return VolumeWork(timing, row.id, str(row.name), row.is_shared)


# -- absent ------------------------------------------------------------------------------------


def plan_absent(found: FoundVolumes, want: VolumeOptions) -> Plan:
    """Return the plan that removes every volume that was found."""
    for_good = want["policy"] == "delete"
    steps: list[Step] = []
    for row in [*found.living, *(found.trashed if for_good else ())]:
        draft = Draft(found, want, row, Timing.of(want))
        work = _work(row, draft.timing)
        draft.release(work, list(row.holders))
        what = f"volume {row.name} ({row.id}, {row.size_gb} GB)"
        text = f"delete {what} for good" if for_good else f"move {what} to the trash"
        draft.moves.append((text, partial(work.remove, for_good=for_good)))
        steps += draft.steps()
    before = {"volumes": [show_volume(row, found.now) for row in found.living]}
    return Plan(before, {"volumes": []}, tuple(steps))


# -- present -----------------------------------------------------------------------------------


def plan_present(found: FoundVolumes, want: VolumeOptions) -> Plan:
    """Return the plan that makes the volume what is wanted."""
    draft = _first(found, want)
    have = bool(draft.row.id)
    found.work = work = found.work or _work(draft.row, draft.timing)
    if have:
        _refuse_difference(draft.row, want)
        _change(draft, work)
    _place(draft, work)
    before = show_volume((found.living or found.trashed)[0], found.now) if have else None
    return Plan(before, show_volume(draft.row, found.now), draft.steps())


def _first(found: FoundVolumes, want: VolumeOptions) -> Draft:
    """Return the draft that gets hold of the volume: it is there, or restored, or created."""
    timing = Timing.of(want)
    if found.living:
        return Draft(found, want, found.living[0], timing)
    if found.trashed and (want["restore"] or want["id"]):
        return _restored(found, want, timing)
    return _created(found, want, timing)


def _restored(found: FoundVolumes, want: VolumeOptions, timing: Timing) -> Draft:
    row = found.trashed[0]
    described = show_volume(row, found.now)
    what = f"volume {row.name} ({row.id})"
    unit = row.price.currency or ""
    price = f"{row.price.or_nothing:.4f} {unit}".strip()
    if not want["restore"]:
        raise InvalidError(
            f"{what[0].upper()}{what[1:]} is in the trash for {described['trash_hours_left']} more "
            "hours",
            hint="restore: true brings it back, which charges about "
            f"{described['restore_charge']} {unit} for its time there.",
        )
    draft = Draft(found, want, replace(row, deleted_at=None, status="detached"), timing)
    found.work = _work(row, timing)
    text = f"restore {what} from the trash, which charges {price} for each hour there"
    draft.todo.append((text, found.work.restore))
    return draft


def _created(found: FoundVolumes, want: VolumeOptions, timing: Timing) -> Draft:
    location = want["location"] or (found.target.location if found.target else None)
    deployment, called, size_gb = want["deployment"], want["name"], want["size_gb"]
    if not (deployment and called and size_gb and location):
        needed = {
            "deployment": deployment,
            "name": called,
            "size_gb": size_gb,
            "location (or instance)": location,
        }
        missing = ", ".join(name for name, value in needed.items() if not value)
        raise InvalidError(f"There is no such volume yet, and a new one needs {missing}")
    kind = want["type"] or found.usual_type
    if kind not in found.types:
        known = ", ".join(sorted(found.types)) or "none"
        raise InvalidError(f"type {kind!r} is not known to the cloud; known: {known}")
    name = names_of(called, deployment)[0]
    row = planned_volume(name, size_gb, location, found.types[kind])
    new = NewVolume(name, deployment, size_gb, kind, location)
    found.work = _work(row, timing)
    price = f"{row.price_per_month:.2f} {row.price.currency or ''}".strip()
    text = f"create volume {name}: {new.size_gb} GB {kind} in {location}, {price} a month"
    draft = Draft(found, want, row, timing)
    draft.todo.append((text, partial(found.work.create, new=new)))
    return draft


def _refuse_difference(row: Volume, want: VolumeOptions) -> None:
    """Raise InvalidError when the volume is what it cannot cease to be."""
    problem = hint = None
    size = want["size_gb"]
    if want["type"] and want["type"] != row.type:
        problem = f"type: it is {row.type}, wanted {want['type']}"
    elif want["location"] and want["location"] != row.location:
        problem = f"location: it is in {row.location}, wanted {want['location']}"
    elif size and row.size_gb is None:
        problem = f"size_gb: the cloud does not say its size, wanted {size}"
    elif size and row.size_gb is not None and size < row.size_gb:
        problem = f"size_gb: it has {row.size_gb} GB, wanted {size}; volumes only grow"
        hint = "Create a smaller one under another name, and copy."
    if problem:
        raise InvalidError(
            f"Volume {row.name} ({row.id}) exists and cannot be changed so: {problem}",
            hint=hint or "Remove it first with state=absent, or choose another name.",
        )


def _change(draft: Draft, work: VolumeWork) -> None:
    """Plan the new name and the new size."""
    row, want = draft.row, draft.want
    if want["name"]:
        name, plain = names_of(want["name"], want["deployment"])
        ours = want["deployment"] and row.deployment == want["deployment"]
        if row.name != name and not (ours and row.name == plain):
            text = f"rename volume {row.name} to {name}"
            draft.todo.append((text, partial(work.rename, name=name)))
            draft.row = row = replace(row, name=name)
    size = want["size_gb"]
    if size and row.size_gb is not None and size > row.size_gb:
        draft.row = new = grown(row, size)
        text = f"grow volume {row.name} from {row.size_gb} to {size} GB"
        if new.price_per_month is not None:
            text += f", {new.price_per_month:.2f} {row.price.currency or ''} a month"
        draft.todo.append((text, partial(work.grow, size_gb=size)))


def _place(draft: Draft, work: VolumeWork) -> None:
    """Plan where the volume is attached."""
    work.label = str(draft.row.name)
    target, attached = draft.found.target, draft.want["attached"]
    have = list(draft.row.holders)
    if attached is False:
        named = [target.id] if target else []
        draft.release(work, [i for i in have if i in named or not draft.want["instance"]])
    elif target and target.id not in have:
        if target.location != draft.row.location:
            raise InvalidError(
                f"{_name(target)} is in {target.location}, and volume {work.label} in "
                f"{draft.row.location}: it can be attached only to instances there"
            )
        if have and not draft.row.is_shared:
            draft.release(work, have)
        draft.attach(work, target)


def in_trash_text(found: FoundVolumes) -> str:
    """Return how long volumes of this name can still be restored."""
    rows = [show_volume(row, found.now) for row in found.trashed]
    return ", ".join(f"{row['id']} for {row['trash_hours_left']} more hours" for row in rows)
