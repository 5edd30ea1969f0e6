"""The audit report in headless Chromium: light, dark and narrow, over a log that is partly hostile."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from check import SHOTS, Browser
from asker import BINARY
import months


def main():
    browser = Browser(int(os.environ["PORT"]))
    with tempfile.TemporaryDirectory() as home:
        folder, page = Path(home) / "audit", Path(home) / "report.html"
        folder.mkdir()
        months.write(folder)
        subprocess.run([BINARY, "audit", "report", "--html", page, folder], check=True,
                       stderr=subprocess.DEVNULL, env={"HOME": home})
        browser.do("/url", url=page.as_uri())
        for scheme in ("light", "dark"):
            for width in (1000, 360):
                browser.look(scheme, width)
                browser.shoot(f"report-{scheme}-{width}")
                wide = browser.run("return document.documentElement.scrollWidth")
                assert wide <= width, f"{wide} pixels at {width}"
                least = browser.contrast()
                assert least >= 4.5, f"contrast {least} in {scheme}"
                # No text of a chart is cut off at its edges.
                cut = browser.run("""
                  return [...document.querySelectorAll('svg')].flatMap(svg => { const edge = svg.getBoundingClientRect();
                    return [...svg.querySelectorAll('text')].filter(text => { const box = text.getBoundingClientRect();
                      return box.left < edge.left - 1 || box.right > edge.right + 1 || box.bottom > edge.bottom + 1; })
                      .map(text => text.textContent); });""")
                assert not cut, f"{cut} at {width}"
        # Each chart has a name and a description for those who do not see it, and a table.
        assert browser.run("""
          const charts = [...document.querySelectorAll('svg')];
          return charts.length >= 6 && charts.every(svg => svg.getAttribute('role') === 'img'
            && svg.getAttribute('aria-labelledby').split(' ').every(id => document.getElementById(id).textContent)
            && svg.closest('section').querySelector('table caption'));""")
        # What an attacker wrote is text.
        text = browser.text()
        assert months.HOSTILE.split("\u202e")[0] in text and "\u202e" not in text
        assert browser.run("return document.images.length + document.scripts.length") == 0
        log = browser.ask("POST", browser.at + "/se/log", type="browser")
        assert not log, log
        browser.ask("DELETE", browser.at)
    print(f"the report works in Chromium; screenshots in {SHOTS}")


if __name__ == "__main__":
    sys.exit(main())
