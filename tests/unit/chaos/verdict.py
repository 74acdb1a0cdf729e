# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true of a run in which one answer was not what it should be."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from ansible_collections.gpuops.cloud.tests.unit.chaos.changes import Changes, Thing, there, touched
from ansible_collections.gpuops.cloud.tests.unit.chaos.fuzz import Case, Fuzz, Seen
from ansible_collections.gpuops.cloud.tests.unit.chaos.runs import CEILING
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import SECRET

FILE = "tests/unit/chaos/test_answers.py"


def complaint(fuzz: Fuzz, case: Case) -> str | None:
    """Return what is wrong with a run in which one answer was exchanged, None when nothing is."""
    usual = fuzz.usual(case.run)
    seen = fuzz.perform(case.run, case)
    wrong = [*_done(fuzz, case, seen, usual.changes)]
    wrong += [f"a traceback: {seen.problem}"] if seen.problem else _told(fuzz, case, seen)
    return report(case, seen, wrong) if wrong else None


def _done(fuzz: Fuzz, case: Case, seen: Seen, usual: Changes) -> Iterator[str]:
    """Yield what is wrong with what a run has done."""
    if not seen.mutants:
        yield "the answer was never exchanged"
    yield from touched(fuzz.before, fuzz.after, fuzz.strangers)
    for what, body in seen.writes:
        for one in sorted(fuzz.strangers):
            if one in what or one in body:
                yield f"{what} {body} is about {one} of a stranger"
    if more := _unasked(case, seen, usual):
        yield f"made beside what is usual: {dict(more)}"
    if ended := seen.changes.gone - usual.gone:
        yield f"ended beside what is usual: {sorted(ended)}"
    if not (seen.problem or seen.sound):
        yield from _believed(seen, usual)


def _unasked(case: Case, seen: Seen, usual: Changes) -> Counter[Thing]:
    """Return what was made and is usually not, so far as the answer is no reason for it.

    An answer that could be true may hide something of ours, and it is made again. Where only one
    answer did, the next ones show both, and the younger instance goes.
    """
    if not seen.sound:
        return _names(seen.changes.made) - _names(usual.made)
    more = Counter() if case.always else _names(seen.changes.lives) - _names(usual.lives)
    return Counter({key: n for key, n in more.items() if key[0] == "instance"})


def _names(things: Counter[Thing]) -> Counter[Thing]:
    """Return things by kind and name, whatever was taken for them."""
    return Counter([thing[:2] for thing in things.elements()])


def _believed(seen: Seen, usual: Changes) -> Iterator[str]:
    """Yield what a run believed of an answer that nobody can read: it did else than usual."""
    mine = seen.changes
    if any(rate > CEILING for rate in mine.rates):
        yield f"bought for {mine.rates} per hour, above {CEILING}"
    if seen.result.get("failed"):
        return
    if _names(mine.lives) != _names(usual.lives):
        yield f"well, and there is {dict(_names(mine.lives))}, not {dict(_names(usual.lives))}"
    if mine.gone != usual.gone:
        yield f"well, and {sorted(usual.gone - mine.gone)} is still there"
    if mine.changed != usual.changed:
        yield f"well, and {sorted(mine.changed ^ usual.changed)} is not as usual"


def _told(fuzz: Fuzz, case: Case, seen: Seen) -> Iterator[str]:
    """Yield what is wrong with what a run tells."""
    result = seen.result
    try:
        text = json.dumps(result, default=str, allow_nan=False)
    except ValueError as error:
        yield f"the result is no JSON: {error}"
        text = str(result)
    if SECRET in text or (seen.token and seen.token in text):
        yield "the result holds a secret"
    if not result.get("failed"):
        return
    if len(str(result.get("msg", "")).split()) < 4 or not result["error"].get("code"):
        yield "no sentence"
    for key, row in fuzz.after.instances.items():
        told = key in text or f"buy {row.hostname}:" in text or "same again" in text
        if key not in fuzz.before.instances and there(row) and not told:
            yield f"{row.hostname} ({key}) was bought and is not told"
    whole = seen.mutants and all(m.whole and not m.sound for m in seen.mutants)
    if whole and case.call.startswith("GET ") and _path(case) not in text:
        yield f"nothing tells that {case.call} was not answered soundly"


def _path(case: Case) -> str:
    """Return what a sentence about a call names at least."""
    return case.call.split()[1].partition("?")[0].partition("/{id}")[0]


def report(case: Case, seen: Seen, wrong: list[str]) -> str:
    """Return what is wrong, how to see it again, and what was answered."""
    again = f"GPUOPS_CHAOS_SEED={case.number} GPUOPS_CHAOS_RUNS=1 pytest {FILE}"
    which = f"{case.turn}{' and later' if case.always else ''}"
    mutants = [
        f"  {one.where}{' (sound)' if one.sound else ''}: {one.status} {one.body[:900]!r}"
        for one in seen.mutants[:1]
    ]
    return "\n".join(
        [
            f"{case.number}: {case.run}: answer {which} to {case.call}, {case.kind}",
            f"  again: {again}",
            *(f"  {text}" for text in wrong),
            f"  told: {json.dumps(seen.result, default=str)[:1500]}",
            *mutants,
        ]
    )
