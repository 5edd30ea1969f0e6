"""The approval page in headless Chromium: decided by keyboard, seen light, dark and narrow."""

import base64
import http.client
import json
import os
import re
import struct
import sys
import tempfile
import time
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from asker import Server

SHOTS = Path(os.environ["SHOTS"])
ENTER = "\ue007"
TAB = "\ue004"


class Browser:
    """Chromium through ChromeDriver's own protocol (W3C WebDriver)."""

    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        options = {"binary": os.environ["CHROMIUM"],
                   "args": ["--headless=new", "--no-sandbox", "--disable-gpu",
                            "--disable-dev-shm-usage", "--no-proxy-server"]}
        for _ in range(100):
            try:
                if self.ask("GET", "/status")["ready"]:
                    break
            except OSError:
                self.http.close()
                time.sleep(0.1)
        made = self.ask("POST", "/session", capabilities={"alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}})
        self.at = f"/session/{made['sessionId']}"

    def ask(self, method, path, **body):
        self.http.request(method, path, json.dumps(body) if method == "POST" else None)
        value = json.loads(self.http.getresponse().read())["value"]
        assert not (isinstance(value, dict) and value.get("error")), value
        return value

    def do(self, path, **body):
        return self.ask("POST", self.at + path, **body)

    def run(self, script):
        return self.do("/execute/sync", script=script, args=[])

    def find(self, css):
        found = self.do("/element", using="css selector", value=css)
        return "/element/" + next(iter(found.values()))

    def type(self, css, text):
        self.do(self.find(css) + "/value", text=text)

    def cdp(self, command, **params):
        return self.do("/goog/cdp/execute", cmd=command, params=params)

    def look(self, scheme, width):
        self.cdp("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.cdp("Emulation.setDeviceMetricsOverride",
                 width=width, height=900, deviceScaleFactor=1, mobile=False)

    def shoot(self, name):
        self.cdp("Emulation.setScrollbarsHidden", hidden=True)
        shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=True)
        (SHOTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def pixels(self):
        """The whole page as rows of (red, green, blue)."""
        size = self.run("const e = document.documentElement; return [e.scrollWidth, e.scrollHeight]")
        self.cdp("Emulation.setScrollbarsHidden", hidden=True)
        clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
        shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        return decoded(base64.b64decode(shot["data"]))

    def text(self):
        return self.run("return document.body.innerText")

    def shows(self, text):
        """Waits until the page shows `text`: a form that was sent leads to another page."""
        until = time.monotonic() + 30
        while text not in (seen := self.text()):
            assert time.monotonic() < until, f"no {text!r} in {seen}"

    def contrast(self):
        """The least contrast of any text with what is behind it (WCAG 2.2)."""
        return self.run("""
          const light = c => { const v = c.map(x => (x /= 255) <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
            return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
          const parse = s => (s.match(/[\\d.]+/g) || []).map(Number);
          const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
            if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
          let least = 99;
          for (const e of document.querySelectorAll('h1, p, strong, dt, dd, label, button, a')) {
            const pair = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort();
            least = Math.min(least, (Math.max(...pair) + .05) / (Math.min(...pair) + .05)); }
          return least;""")


def decoded(png):
    """The pixels of a PNG as Chromium writes them: 8 bits a channel, not interlaced."""
    at, data = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        chunk = png[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, *_, interlaced = struct.unpack(">IIBBBBB", chunk)
            assert depth == 8 and colour in (2, 6) and not interlaced
        if kind == b"IDAT":
            data += chunk
        at += length + 12
    step, raw = {2: 3, 6: 4}[colour], zlib.decompress(data)
    rows, before = [], bytes(width * step)
    for y in range(height):
        start = y * (width * step + 1)
        how, row = raw[start], bytearray(raw[start + 1:start + 1 + width * step])
        for x in range(len(row)):
            left = row[x - step] if x >= step else 0
            up, corner = before[x], before[x - step] if x >= step else 0
            if how == 1:
                row[x] = row[x] + left & 255
            elif how == 2:
                row[x] = row[x] + up & 255
            elif how == 3:
                row[x] = row[x] + (left + up) // 2 & 255
            elif how == 4:
                guess = left + up - corner
                row[x] = row[x] + min((left, up, corner), key=lambda near: abs(guess - near)) & 255
        rows.append([tuple(row[x:x + 3]) for x in range(0, len(row), step)])
        before = bytes(row)
    return rows


def check_bars(browser):
    """Each line of a text of others has a bar at its left, from the first pixel to the last, and no
    row of ours has one: so none of the former looks like one of the latter."""
    rows = browser.run("""
      return [...document.querySelectorAll('dd')].map(dd => { const box = dd.getBoundingClientRect();
        const range = document.createRange(); range.selectNodeContents(dd);
        const lines = [...range.getClientRects()].map(line => line.left - box.left);
        return { others: dd.classList.contains('others'), text: dd.textContent.slice(0, 80), lines,
                 left: box.left + scrollX, top: box.top + scrollY, bottom: box.bottom + scrollY }; });""")
    shot = browser.pixels()
    assert sum(row["others"] for row in rows) > 3 and not all(row["others"] for row in rows)
    for row in rows:
        inside = range(round(row["top"]) + 1, round(row["bottom"]) - 1)
        x = round(row["left"]) + 1
        drawn = {shot[y][x] for y in inside} | {shot[y][x + 1] for y in inside}
        ground = {shot[y][round(row["left"]) - 6] for y in inside}
        assert len(ground) == 1, (row, ground)
        if row["others"]:
            assert len(drawn) == 1 and drawn != ground, f"no whole bar beside {row}: {drawn}"
            assert min(row["lines"], default=99) >= 4, row
        else:
            # The letters of our own words begin here or further right.
            assert not drawn or drawn & ground, row


HOSTILE = [
    "rotation check" + "\u2800" * 60 + "Value goes to" + "\u2800" * 4 + "nowhere, it is masked",
    "x" * 57 + " Value goes to nowhere, it is masked " + "y" * 60,
    "a" + "\u0301" * 90 + "\u202e\u2066 \ufdfd\ufdfd\ufdfd \U0001242b",
    "\u05d0\u05d1 Value goes to \u05d2 nowhere, it is masked \u05d3",
]


def main():
    port = int(os.environ["PORT"])
    with tempfile.TemporaryDirectory() as home:
        server, browser = Server(home), Browser(port)
        for name in ("app/db", "app/kept"):
            made = server.call("CreateSecret", SecretName=name, VersionId="v1", SecretData="hunter2-hunter2")
            assert made["Outcome"] == "created", made
        reveal = {"SecretName": "app/db", "Destination": "agent", "Reason": "<b>The migration</b> needs it"}
        force = {"SecretName": "app/db", "ForceDeleteWithoutRecovery": True}

        def ask(tool, arguments):
            confirmation = server.call(tool, **arguments)["Confirmation"]
            browser.do("/url", url=confirmation["ApproveAt"])
            browser.shows(confirmation["MatchCode"])
            return confirmation["Token"]

        ask("GetSecretValue", reveal)
        for scheme in ("light", "dark"):
            for width in (1000, 360):
                browser.look(scheme, width)
                browser.shoot(f"{scheme}-{width}")
                wide = browser.run("return document.documentElement.scrollWidth")
                assert wide <= width, f"{wide} pixels at {width}"
                least = browser.contrast()
                assert least >= 4.5, f"contrast {least} in {scheme}"
        browser.shows("<b>The migration</b>")
        # Every field has a name, and the first button is to deny.
        assert browser.run("return [...document.querySelectorAll('input:not([type=hidden])')]"
                           ".every(field => field.labels.length === 1)")
        assert browser.run("return document.querySelector('button').value") == "deny"

        for text in HOSTILE:
            ask("GetSecretValue", {**reveal, "Reason": text})
            for width in (1000, 360):
                browser.look("light", width)
                check_bars(browser)
        browser.shoot("hostile")

        # The page answers under each name of this machine, and the form works there.
        token = ask("GetSecretValue", reveal)
        here = browser.run("return location.href")
        browser.do("/url", url=here.replace("127.0.0.1", "localhost"))
        browser.do(browser.find("button.deny") + "/click")
        browser.shows("Denied")
        browser.look("light", 1000)

        # By keyboard alone: the first stop is to deny, the second to approve.
        token = ask("GetSecretValue", reveal)
        keys = [{"type": kind, "value": key} for key in (TAB, TAB, ENTER) for kind in ("keyDown", "keyUp")]
        browser.do("/actions", actions=[{"type": "key", "id": "keys", "actions": keys}])
        browser.shows("Approved")
        assert browser.run("return document.activeElement.tagName") == "H1"
        value = server.call("GetSecretValue", **reveal, ConfirmationToken=token)
        assert value["Result"]["SecretData"] == "hunter2-hunter2", value

        # Return in the field of the name denies.
        ask("DeleteSecret", {**force, "SecretName": "app/kept"})
        browser.shoot("force")
        browser.type("#name", "app/kept" + ENTER)
        browser.shows("Denied")
        token = ask("DeleteSecret", force)
        browser.type("#name", "app/xx")
        browser.do(browser.find("button.approve") + "/click")
        browser.shows("not the name")
        browser.shoot("wrong-name")
        browser.type("#name", "app/db")
        browser.do(browser.find("button.approve") + "/click")
        browser.shows("Approved")
        gone = server.call("DeleteSecret", **force, ConfirmationToken=token)
        assert gone["Outcome"] == "deleted", gone

        # The page's own policy stops nothing that the page is made of.
        log = browser.ask("POST", browser.at + "/se/log", type="browser")
        blocked = [line["message"] for line in log if re.search("Content Security", line["message"])]
        assert all("favicon" in line for line in blocked), blocked
        browser.ask("DELETE", browser.at)
        server.end()
    print(f"the page works in Chromium; screenshots in {SHOTS}")


if __name__ == "__main__":
    sys.exit(main())
