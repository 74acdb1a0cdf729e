# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the Grafana dashboard over the metrics, built with Grafana's own library.

usage: python scripts/dashboard.py FILE

The library's types are those of the schema of dashboards; mypy checks this file against them.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders import bargauge, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from panels import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    YELLOW,
    AnyPanel,
    bars,
    board,
    chosen,
    figure,
    filled,
    latest,
    lines,
    main,
    placed,
    query,
    stacked,
    steps,
)

# Figures of one account bear no provider; all values of the variable match those, too.
HERE = 'provider=~"$provider"'
OURS = f'deployment=~"$deployment", {HERE}'
DAY = 86400
MONEY = "locale"  # the currency is a label
# The figures are written every five minutes: rates over less would come and go.
WRITTEN = "5m"


def slowly(asked: prometheus.Dataquery) -> prometheus.Dataquery:
    """Let a query have no finer steps, and so no shorter rates, than the figures have."""
    return asked.interval(WRITTEN)


def happened(labels: str, counter: str) -> str:
    """Return a query: what a counter grew by in each step, if it grew in the time shown."""
    grew = f"sum by ({labels}) (increase({counter}{{{HERE}}}"
    return f"round({grew}[$__interval]))) and {grew}[$__range] @ end())) > 0"


def figures() -> list[stat.Panel]:
    """Return the figures at the head."""
    short = steps(RED, (6 * 3600, ORANGE), (DAY, YELLOW), (3 * DAY, GREEN))
    worse = steps(GREEN, (1, RED))
    reaped = f'round(sum(increase(gpuops_reaped_total{{kind="instance", {HERE}}}[$__range])))'
    left, burn = f"gpuops_balance{{{HERE}}}", f"gpuops_burn_per_hour{{{HERE}}}"
    lasts, number = f"gpuops_runway_seconds{{{HERE}}}", f"sum(gpuops_machines{{{HERE}}})"
    over = f"count(gpuops_lease_remaining_seconds{{{HERE}}} < 0) or vector(0)"
    money = "{{currency}} {{provider}}"
    return [
        figure("Balance", "Money left.", left, MONEY, steps(GREY), money).decimals(2),
        figure("Burn per hour", "What costs now.", burn, MONEY, steps(BLUE), money).decimals(2),
        figure("Runway", "How long the balance lasts.", lasts, "s", short, "{{provider}}"),
        figure("Machines", "What exists.", f"{number} or vector(0)", "short", steps(BLUE)),
        figure("Expired leases", "Machines that outlive their lease.", over, "short", worse),
        figure(
            "Reaped", "Machines that the reaper ended in this time.", reaped, "short", steps(GREY)
        ),
    ]


def money() -> list[timeseries.Panel]:
    """Return balance and burn over time."""
    burn = f"sum by (deployment, provider) (gpuops_deployment_burn_per_hour{{{OURS}}})"
    # An empty label would leave the legend without a name.
    burn = f'label_replace({burn}, "deployment", "not marked", "deployment", "")'
    left = f"gpuops_balance{{{HERE}}}"
    text = "What each deployment costs per hour; machines and volumes."
    return [
        lines("Balance", "Money left.", MONEY, query(left, "{{currency}} {{provider}}")),
        stacked(lines("Burn per hour", text, MONEY, query(burn, "{{deployment}} {{provider}}"))),
    ]


def budgets() -> bargauge.Panel:
    """Return the budgets as bars, coloured at 80, 90 and 100 percent."""
    colors = steps(GREEN, (0.8, YELLOW), (0.9, ORANGE), (1, RED))
    panel = bargauge.Panel().with_target(latest("gpuops_budget_used_ratio", "{{period}}"))
    panel = panel.unit("percentunit").min(0).max(1.2).thresholds(colors)
    panel = panel.orientation(looks.VizOrientation.HORIZONTAL).no_value("no budget")
    return placed(panel, "Budgets used", "Share of each budget: 1 is all of it.", 8, 9)


def leases() -> table.Panel:
    """Return the machines by the time their leases have left."""
    asked = latest(f"sort(gpuops_lease_remaining_seconds{{{OURS}}})").format(PromQueryFormat.TABLE)
    panel = table.Panel().with_target(asked).align(looks.FieldTextAlignment.AUTO)
    panel = panel.thresholds(steps(RED, (0, ORANGE), (3600, GREEN)))
    hidden = dict.fromkeys(("Time", "__name__", "instance", "job", "id"), True)
    names = {"Value": "left", "protected": "protected"}
    tidy = {"excludeByName": hidden, "renameByName": names}
    panel = panel.with_transformation(
        dashboard.DataTransformerConfig(id_val="organize", options=tidy)
    )
    cell = {"type": "color-text"}
    rules = [
        dashboard.DynamicConfigValue(id_val="unit", value="s"),
        dashboard.DynamicConfigValue(id_val="custom.cellOptions", value=cell),
    ]
    panel = panel.override_by_name("left", rules)
    return placed(panel, "Leases", "Time left; below 0 a machine outlives its lease.", 16, 9)


def machines() -> list[timeseries.Panel]:
    """Return machines by status, and what the reaper did."""
    states = f"sum by (status, market, provider) (gpuops_machines{{{OURS}}})"
    reaped = happened("kind, reason, provider", "gpuops_reaped_total")
    failed = happened("kind, provider", "gpuops_reap_failures_total")
    gone = f"sum(gpuops_evicted_machines{{{OURS}}})"
    some = query(states, "{{status}}, {{market}} {{provider}}"), query(gone, "taken away")
    ends = (
        query(reaped, "{{kind}}, {{reason}} {{provider}}").interval("3h"),
        query(failed, "failed: {{kind}} {{provider}}").interval("3h"),
    )
    return [
        stacked(lines("Machines", "By status and market.", "short", *some)).decimals(0),
        bars("Reaper", "What it ended and why, and what it could not end.", *ends),
    ]


def api() -> list[timeseries.Panel]:
    """Return how the API does."""
    over = f"{{{HERE}}}[$__rate_interval]"
    spent, number = (
        f"sum by (method, provider) (rate(gpuops_api_request_seconds_{part}{over}))"
        for part in ("sum", "count")
    )
    seldom = query(f"{spent} / {number}", "{{method}} {{provider}}").interval("15m")
    codes = f"sum by (code, provider) (rate(gpuops_api_requests_total{over})) * 60"
    wrong = f"sum by (reason, provider) (rate(gpuops_api_errors_total{over})) * 60"
    return [
        lines(
            "API requests per minute",
            "By status, and what went wrong.",
            "short",
            slowly(query(codes, "{{code}} {{provider}}")),
            slowly(query(f"{wrong} > 0", "error: {{reason}} {{provider}}")),
        ),
        lines("API latency", "Mean time to an answer.", "s", seldom),
    ]


def health() -> list[stat.Panel]:
    """Return whether the figures themselves can be trusted."""
    late = steps(GREEN, (600, YELLOW), (1200, RED))
    # Of several providers the one that waits longest.
    last = f"max by (provider) (gpuops_reaper_last_success_timestamp_seconds{{{HERE}}})"
    reaper, written = f"time() - min({last})", "time() - max(gpuops_metrics_timestamp_seconds)"
    skew = f"max(abs(gpuops_clock_skew_seconds{{{HERE}}}))"
    up = f"min(gpuops_api_up{{{HERE}}})"
    endless, unclear = (
        f"sum(max by (provider) (gpuops_machines_{why}{{{HERE}}}))"
        for why in ("without_lease", "unclear")
    )
    text = "Time since the reaper did all it should."
    return [
        figure("API", "1: it answers.", up, "short", steps(RED, (1, GREEN))),
        figure("Reaper", text, reaper, "s", late),
        figure("Figures", "Time since they were written.", written, "s", late),
        figure("Clock skew", "Clock against the API.", skew, "s", steps(GREEN, (60, YELLOW))),
        figure(
            "Without a lease",
            "Machines that nothing ends.",
            endless,
            "short",
            steps(GREEN, (1, YELLOW)),
        ),
        figure(
            "Unclear",
            "Machines whose lease cannot be read.",
            unclear,
            "short",
            steps(GREEN, (1, RED)),
        ),
    ]


def made() -> build.Dashboard:
    """Return the dashboard."""
    metric = "gpuops_deployment_burn_per_hour"
    text = "What gpuops.cloud.datacrunch_metrics and gpuops.cloud.gpu_metrics write."
    found = board(
        "gpuops-cloud",
        "GPU cloud: money, machines, leases",
        text,
        chosen("provider", "Provider", "label_values(gpuops_burn_per_hour, provider)"),
        chosen("deployment", "Deployment", f"label_values({metric}{{{HERE}}}, deployment)"),
    )
    found = found.tags(["gpuops", "cost"]).time("now-7d", "now").refresh("5m")
    panels: list[AnyPanel]
    panels = [*figures(), *money(), budgets(), leases(), *machines(), *api(), *health()]
    return filled(found, panels)


if __name__ == "__main__":
    main(__doc__, made())
