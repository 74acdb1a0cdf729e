# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the costs, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CLASHES, CONTRAST, NARROW, WIDE, Browser, chromium
from cost_data import CASES, EVIL
from cost_pages import write_pages


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write the page of every made-up account."""
    return write_pages(tmp_path_factory.mktemp("pages"), list(CASES))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start one browser for all pages."""
    with chromium() as running:
        yield running


@pytest.mark.parametrize("name", CASES)
def test_page_stands_alone(browser: Browser, pages: dict[str, Path], name: str) -> None:
    browser.open(pages[name])
    asked = [url for url in browser.requests() if not url.startswith("data:")]
    assert asked == [pages[name].as_uri()]
    assert browser.complaints() == []
    assert browser.ask("return document.scripts.length") == 0
    assert browser.ask("return document.compatMode") == "CSS1Compat"


@pytest.mark.parametrize("width", [WIDE, 760, NARROW, 320])
@pytest.mark.parametrize("name", CASES)
def test_page_fits_every_screen(
    browser: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    browser.open(pages[name], width=width)
    assert browser.ask("return document.documentElement.scrollWidth") <= width
    assert browser.ask(CLASHES) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["usual", "empty", "one day"])
def test_everything_can_be_read(
    browser: Browser, pages: dict[str, Path], name: str, theme: str
) -> None:
    browser.open(pages[name], theme)
    found = browser.ask(CONTRAST)
    assert len(found) > 15
    assert [row for row in found if row[1] < 4.5] == []
    dark = (
        browser.ask("return getComputedStyle(document.body).backgroundColor") == "rgb(13, 16, 21)"
    )
    assert dark is (theme == "dark")


def test_text_is_never_taken_for_html(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["hostile"])
    assert browser.ask("return document.title").startswith("GPU costs")
    assert browser.ask("return document.querySelectorAll('script, img, b').length") == 0
    for selector in ("#spend .legend .name", "#leases .who .name", "#shares tbody th"):
        assert browser.texts(selector)[0] == EVIL
    assert EVIL in browser.texts("#spend .column title")[-1]
    assert browser.texts("#spent") == ["8.98 <B>USD</B>"]


def test_drawings_have_names_and_tables_have_heads(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.open(pages["usual"])
    nameless = """return [...document.querySelectorAll('svg')].filter(svg =>
        !svg.closest('[aria-hidden=true]') && !svg.parentElement.closest('svg') &&
        !(svg.getAttribute('role') === 'img' && svg.querySelector(':scope > title').textContent &&
          svg.querySelector(':scope > desc').textContent)).length"""
    assert browser.ask(nameless) == 0
    assert browser.ask("return document.querySelectorAll('th:not([scope])').length") == 0
    assert browser.ask("return document.querySelectorAll('h1').length") == 1
    ids = browser.ask("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    named = browser.ask(
        "return [...document.querySelectorAll('[aria-labelledby]')]"
        ".flatMap(e => e.getAttribute('aria-labelledby').split(' '))"
    )
    assert set(named) <= set(ids)


def test_figures_charts_and_tables_agree(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["usual"])
    assert browser.texts("#spent") == ["3,495.00 USD"]
    assert browser.texts("#burning") == ["27.36 USD/h"]
    assert browser.texts("#balance") == ["1,480.00 USD"]
    assert browser.texts("#runway") == ["2 d 6 h"]
    assert len(browser.texts("#spend .column")) == 22
    states = ["68 % · within", "84 % · warning", "93 % · critical", "106 % · exceeded"]
    assert browser.texts("#budgets .state") == states
    assert len(browser.texts("#things tbody tr")) == len(CASES["usual"]()["things"])
    assert browser.texts("#things tfoot td")[-1] == "3,495.00"


def test_bars_are_drawn_as_long_as_they_mean(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["usual"])
    wide = """return [...document.querySelectorAll('%s')]
        .map(svg => [...svg.querySelectorAll('rect')].map(r => r.getBoundingClientRect().width))"""
    for track, length in browser.ask(wide % "#budgets svg"):
        assert 0.55 * track < length <= track
    (dearest, *_rest, cheapest) = browser.ask(wide % "#burn svg")
    assert dearest[1] == pytest.approx(dearest[0])
    assert cheapest[1] == pytest.approx(dearest[0] * 0.19 / 14.494, rel=0.02)


def test_now_is_one_line_through_all_lanes(browser: Browser, pages: dict[str, Path]) -> None:
    for width in (WIDE, NARROW):
        browser.open(pages["usual"], width=width)
        lines = browser.ask(
            "return [...document.querySelectorAll('#leases .now')]"
            ".map(l => l.getBoundingClientRect()).map(b => b.left)"
        )
        assert len(lines) == 6
        assert max(lines) - min(lines) < 0.5
        word = browser.ask(
            "const b = document.querySelector('.now-text').getBoundingClientRect();"
            "return (b.left + b.right) / 2"
        )
        assert word == pytest.approx(lines[0], abs=1.5)


def test_expired_leases_are_red_and_protected_ones_are_marked(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.open(pages["usual"])
    assert browser.texts("#leases li.expired .who .name") == ["sandbox-1"]
    color = "return getComputedStyle(document.querySelector('li.expired .state')).color"
    assert browser.ask(color) == "rgb(191, 38, 38)"
    shape = "return getComputedStyle(document.querySelector('li.expired .over')).fill"
    assert "#hatch" in browser.ask(shape)
    guarded = "return [...document.querySelectorAll('#leases .guard')].filter(e => e.closest('ol'))"
    assert len(browser.ask(guarded)) == len(browser.texts("#leases .badge")) == 1


def test_nothing_is_drawn_of_nothing(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["empty"])
    words = ["Nothing was spent in this time.", "Nothing costs now.", "No instance runs now."]
    assert browser.texts(".nothing") == words
    assert browser.ask("return document.querySelectorAll('table, .column').length") == 0


def test_long_page_is_quick_to_draw(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["crowd"])
    took = "const [n] = performance.getEntriesByType('navigation'); return n.loadEventEnd"
    assert 0 < browser.ask(took) < 10_000
    assert pages["crowd"].stat().st_size < 600_000
