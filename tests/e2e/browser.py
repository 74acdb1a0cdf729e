# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real browser that looks at pages: what it asks for, what it draws, whether it can be read."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
WIDE, NARROW = 1280, 390

# Contrast of every visible text to what lies behind it, as WCAG 2 counts it.
CONTRAST = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
function rgba(text) {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
}
function light([r, g, b]) {
  const [x, y, z] = [r, g, b].map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * x + .7152 * y + .0722 * z;
}
function behind(node) {
  for (let at = node; at; at = at.parentElement) {
    const color = rgba(getComputedStyle(at).backgroundColor);
    if (color[3] === 255) return color;
  }
  return [255, 255, 255];
}
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
while (walker.nextNode()) {
  const text = walker.currentNode.textContent.trim(), node = walker.currentNode.parentElement;
  if (!text || !node.getClientRects().length || node.closest('title, desc, style')) continue;
  const style = getComputedStyle(node), svg = node instanceof SVGElement;
  const a = light(rgba(svg ? style.fill : style.color)), b = light(behind(node));
  found.push([text, (Math.max(a, b) + .05) / (Math.min(a, b) + .05)]);
}
return found;
"""

# Texts that stick out of the window, or overlap another text of the same drawing.
CLASHES = """
const wide = document.documentElement.clientWidth, found = [];
for (const svg of document.querySelectorAll('svg')) {
  const texts = [...svg.querySelectorAll('text')]
    .filter(t => t.getClientRects().length && t.textContent.trim());
  const boxes = texts.map(t => t.getBoundingClientRect());
  boxes.forEach((a, i) => {
    if (a.left < 0 || a.right > wide) found.push(['outside', texts[i].textContent]);
    boxes.slice(i + 1).forEach((b, j) => {
      const beside = a.left >= b.right - 1 || b.left >= a.right - 1;
      const above = a.top >= b.bottom - 4 || b.top >= a.bottom - 4;
      if (!beside && !above)
        found.push([texts[i].textContent, texts[i + 1 + j].textContent]);
    });
  });
}
return found;
"""


class Browser:
    """Chromium, driven by its own driver."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, page: Path, theme: str = "light", width: int = WIDE) -> None:
        """Show a file with the colours and the width of a device."""
        self.visit(page.as_uri(), theme, width)

    def visit(self, address: str, theme: str = "light", width: int = WIDE) -> None:
        """Show what lies at an address with the colours and the width of a device."""
        feature = {"name": "prefers-color-scheme", "value": theme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)  # what came before is forgotten
        self.driver.get(address)

    def ask(self, script: str) -> Any:
        """Return what a script finds on the page."""
        return self.driver.execute_script(script)

    def texts(self, selector: str) -> list[str]:
        """Return the texts of the elements that a selector names."""
        script = (
            "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent.trim())"
        )
        return [str(text) for text in self.driver.execute_script(script, selector)]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the page was opened."""
        rows = [json.loads(row["message"])["message"] for row in self.driver.get_log("performance")]
        sent = [row["params"] for row in rows if row["method"] == "Network.requestWillBeSent"]
        return [row["request"]["url"] for row in sent]

    def complaints(self) -> list[str]:
        """Return what the browser has to complain about."""
        return [str(row["message"]) for row in self.driver.get_log("browser")]

    def picture(self, file: Path, height: int) -> None:
        """Keep a picture of the upper part of the page."""
        size = self.ask("return [innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": min(size[1], height), "scale": 1}
        how = {"format": "webp", "quality": 90, "captureBeyondViewport": True, "clip": clip}
        answer = self.driver.execute_cdp_cmd("Page.captureScreenshot", how)
        file.write_bytes(base64.b64decode(answer["data"]))


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium with a profile that goes with it."""
    folder = tempfile.mkdtemp(prefix="gpuops-browser-")
    options = webdriver.ChromeOptions()
    options.binary_location = _program("chromium")
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(_program("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is not installed: python3 scripts/setup.py test"
    return found
