# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures as a text file of Prometheus, by its own library (private).

The file is what keeps counters from run to run: they are read from it, and grow.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import replace as replace_fields
from pathlib import Path
from types import ModuleType
from typing import Protocol

from .._core.errors import GpuopsError, InvalidError

PROVIDER = "provider"  # the label of what belongs to one account of several
Labels = dict[str, str]
Pairs = tuple[tuple[str, str], ...]
# Values of an earlier file, by name and labels of a sample.
Before = dict[tuple[str, Pairs], float]


class Metric(Protocol):
    """A metric of the library; what it knows of a sample stays its own."""

    samples: list[tuple[str, Labels, float]]

    def add_sample(self, name: str, labels: Labels, value: float) -> None:
        """Add a sample."""


@dataclass
class Family:
    """A metric: its name without the suffix of its kind, what it means, and its samples.

    A sample of a ``summary`` is a pair of count and sum. Counters and summaries hold what this run
    adds; ``kept`` gauges stay as they were where this run has nothing to say of the same ``providers``,
    of which none are named in the file of one account.
    """

    name: str
    help: str
    kind: str = "gauge"
    samples: list[tuple[Labels, float | tuple[float, float]]] = field(default_factory=list)
    kept: bool = False
    providers: tuple[str, ...] = ("",)

    def add(self, value: float | tuple[float, float], **labels: str | None) -> None:
        """Add a sample; a label that is not known is empty."""
        self.samples.append(({key: text or "" for key, text in labels.items()}, value))


def of_provider(provider: str, families: Iterable[Family]) -> list[Family]:
    """Return families whose samples bear the name of a provider."""
    return [
        replace_fields(
            one,
            samples=[({PROVIDER: provider, **labels}, value) for labels, value in one.samples],
            providers=(provider,),
        )
        for one in families
    ]


def together(families: Iterable[Family]) -> list[Family]:
    """Return families of which there is one by each name; all samples of the name are in it."""
    found: dict[str, Family] = {}
    for one in families:
        known = found.get(one.name)
        found[one.name] = one if known is None else _sum(known, one)
    return list(found.values())


def _sum(one: Family, other: Family) -> Family:
    providers = (*one.providers, *other.providers)
    return replace_fields(one, samples=[*one.samples, *other.samples], providers=providers)


def _library() -> ModuleType:
    """Return the client library of Prometheus; imported here, as only metrics need it."""
    try:
        import prometheus_client
        import prometheus_client.core
        import prometheus_client.parser
    except ImportError as error:
        raise GpuopsError(
            f"The Python package prometheus_client is needed to write metrics: {error}",
            hint="Install it for Ansible's Python, for example: pip install prometheus-client.",
        ) from None
    return prometheus_client


def _key(name: str, labels: Labels) -> tuple[str, tuple[tuple[str, str], ...]]:
    return name, tuple(sorted(labels.items()))


def read(text: str) -> Before:
    """Return the samples of a text file; nothing of one that cannot be read."""
    try:
        families = list(_library().parser.text_string_to_metric_families(text))
    except ValueError:
        return {}
    return {
        _key(sample.name, sample.labels): sample.value for row in families for sample in row.samples
    }


def _grown(family: Family, before: Before, suffix: str, part: int) -> dict[Pairs, float]:
    """Return the values of a counter, those of earlier runs included, by labels."""
    name = f"{family.name}{suffix}"
    found = {labels: value for (known, labels), value in before.items() if known == name}
    for labels, value in family.samples:
        key = _key(name, labels)[1]
        found[key] = found.get(key, 0.0) + _part(value, part)
    return found


def _part(value: float | tuple[float, float], part: int) -> float:
    """Return count or sum of a summary; everything else has one value."""
    return value[part] if isinstance(value, tuple) else value


def _stays(family: Family, before: Before) -> list[tuple[Labels, float]]:
    """Return the values of earlier runs that this one says nothing of."""
    told = {_key("", labels)[1] for labels, _value in family.samples}
    return [
        (dict(labels), value)
        for (name, labels), value in before.items()
        if family.kept and name == family.name and labels not in told
        if dict(labels).get(PROVIDER, "") in family.providers
    ]


def _metric(family: Family, before: Before) -> Metric:
    """Return a metric of the library."""
    core = _library().core
    made: Metric
    if family.kind == "counter":
        made = core.CounterMetricFamily(family.name, family.help)
        for labels, value in sorted(_grown(family, before, "_total", 0).items()):
            made.add_sample(f"{family.name}_total", dict(labels), value)
    elif family.kind == "summary":
        made = core.SummaryMetricFamily(family.name, family.help)
        counts, sums = (
            _grown(family, before, f"_{end}", n) for n, end in enumerate(("count", "sum"))
        )
        for labels in sorted(counts):
            made.add_sample(f"{family.name}_count", dict(labels), counts[labels])
            made.add_sample(f"{family.name}_sum", dict(labels), sums.get(labels, 0.0))
    else:
        made = core.GaugeMetricFamily(family.name, family.help)
        rows = [(labels, _part(value, 0)) for labels, value in family.samples]
        rows += _stays(family, before)
        for named, value in rows:
            made.add_sample(family.name, named, value)
    return made


def render(families: Iterable[Family], before: Before) -> str:
    """Return the text of a file after an earlier one."""
    library = _library()
    metrics = [_metric(family, before) for family in families]

    class Collector:
        """What the registry of the library asks for metrics."""

        def collect(self) -> Iterator[Metric]:
            """Yield those that have a sample."""
            yield from (metric for metric in metrics if metric.samples)

    registry = library.CollectorRegistry(auto_describe=False)
    registry.register(Collector())
    return library.generate_latest(registry).decode()


def previous(path: Path) -> Before:
    """Return the samples of a file; nothing of one that is not there."""
    try:
        return read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidError(f"{path} cannot be read: {error}") from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let no second run read and write a file of this folder at the same time."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def replace(path: Path, mode: int, text_after: Callable[[Before], str]) -> str:
    """Write a new file in the place of an earlier one at once; returns its text.

    Whoever reads it meanwhile sees the one or the other: the new one gets a name first that
    node_exporter does not look for.
    """
    try:
        with _alone(path.parent):
            text = text_after(previous(path))
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                    os.fchmod(file.fileno(), mode)
                Path(temporary).replace(path)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise InvalidError(f"{path} cannot be written: {error}") from None
    return text
