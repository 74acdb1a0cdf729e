# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the Grafana dashboards are built of, with Grafana's own library.

The library's types are those of the schema of dashboards; mypy checks the dashboards against them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard

GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "text"
SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
AnyPanel = stat.Panel | bargauge.Panel | table.Panel | timeseries.Panel
Panel = TypeVar("Panel", stat.Panel, bargauge.Panel, table.Panel, timeseries.Panel)


def steps(first: str, *more: tuple[float, str]) -> build.ThresholdsConfig:
    """Return thresholds: a colour, and others from a value on."""
    found = [dashboard.Threshold(value=None, color=first)]
    found += [dashboard.Threshold(value=value, color=color) for value, color in more]
    return build.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(found)


def query(expr: str, legend: str = "") -> prometheus.Dataquery:
    """Return a query over the time that is shown."""
    return prometheus.Dataquery().expr(expr).legend_format(legend or "__auto").ref_id("A").range()


def latest(expr: str, legend: str = "") -> prometheus.Dataquery:
    """Return a query for the last value."""
    return prometheus.Dataquery().expr(expr).legend_format(legend or "__auto").ref_id("A").instant()


def placed(panel: Panel, title: str, text: str, width: int, height: int) -> Panel:
    """Give a panel its title, a sentence of what it means, and its size on a grid of 24."""
    sized = panel.title(title).description(text).datasource(SOURCE)
    return sized.span(width).height(height)


def figure(
    title: str, text: str, expr: str, unit: str, colors: build.ThresholdsConfig, legend: str = ""
) -> stat.Panel:
    """Return one figure: as it is now, and none once nothing tells it any more.

    Where there are several, each bears its legend.
    """
    panel = stat.Panel().with_target(latest(expr, legend)).unit(unit).thresholds(colors)
    panel = panel.color_mode(looks.BigValueColorMode.VALUE).no_value("none")
    panel = panel.graph_mode(looks.BigValueGraphMode.NONE)
    last = common.ReduceDataOptions().calcs(["lastNotNull"])
    return placed(panel.reduce_options(last), title, text, 4, 4)


def lines(title: str, text: str, unit: str, *queries: prometheus.Dataquery) -> timeseries.Panel:
    """Return lines over time."""
    panel = timeseries.Panel().unit(unit).line_width(2).fill_opacity(8)
    panel = panel.show_points(looks.VisibilityMode.NEVER).axis_soft_min(0)
    for number, one in enumerate(queries):
        panel = panel.with_target(one.ref_id("ABCDE"[number]))
    bottom = common.VizLegendOptions().show_legend(show_legend=True)
    bottom = bottom.display_mode(looks.LegendDisplayMode.LIST)
    panel = panel.legend(bottom.placement(looks.LegendPlacement.BOTTOM))
    return placed(panel, title, text, 12, 8)


def stacked(panel: timeseries.Panel) -> timeseries.Panel:
    """Return lines as areas on top of each other."""
    how = common.StackingConfig().mode(looks.StackingMode.NORMAL).group("A")
    return panel.stacking(how).fill_opacity(45).line_width(1)


def bars(title: str, text: str, *queries: prometheus.Dataquery) -> timeseries.Panel:
    """Return bars over time, on top of each other: for what is counted now and then."""
    panel = stacked(lines(title, text, "short", *queries)).decimals(0)
    return panel.draw_style(looks.GraphDrawStyle.BARS).fill_opacity(80)


def chosen(name: str, label: str, query: str) -> build.QueryVariable:
    """Return a variable: some or all values of a label."""
    everything = dashboard.VariableOption(text="All", value="$__all", selected=True)
    found = build.QueryVariable(name).label(label).datasource(SOURCE).query(query)
    found = found.multi(multi=True).include_all(include_all=True).all_value(".*")
    return found.current(everything).refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)


def board(uid: str, title: str, text: str, *variables: build.QueryVariable) -> build.Dashboard:
    """Return a dashboard without panels, whose data source can be chosen."""
    source = build.DatasourceVariable("datasource").label("Data source").type("prometheus")
    found = build.Dashboard(title).uid(uid).description(text).timezone("browser")
    found = found.tooltip(dashboard.DashboardCursorSync.CROSSHAIR).with_variable(source)
    for variable in variables:
        found = found.with_variable(variable)
    return found


def filled(found: build.Dashboard, panels: Sequence[AnyPanel]) -> build.Dashboard:
    """Put panels onto a dashboard, from left to right and from the top down."""
    for number, panel in enumerate(panels, start=1):
        found = found.with_panel(panel.id(number))
    return found


def main(usage: str | None, made: build.Dashboard) -> None:
    """Write a dashboard, as Grafana imports it, to the file that the command names."""
    if len(sys.argv) != 2:
        sys.exit(usage)
    text = json.dumps(made.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"
    Path(sys.argv[1]).write_text(text, encoding="utf-8")
