"""The approval page in headless Chromium: decided by keyboard, seen light, dark and narrow."""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BINARY, SHOTS = os.environ["KMS_MCP_BINARY"], Path(os.environ["SHOTS"])
ENTER = "\ue007"
TAB = "\ue004"


class Server:
    """`kms-mcp serve` on the embedded KMS."""

    def __init__(self, home):
        self.home, self.next = home, 0
        folder = Path(home) / ".config/kms-mcp"
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text(
            "wait_seconds = 0\n[approval]\nrequire_factor = false\n")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--backend", "embedded", "--state-dir", f"{home}/state"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={"HOME": home}, text=True,
        )
        self.request("initialize", protocolVersion="2025-11-25", capabilities={},
                     clientInfo={"name": "page", "version": "1"})
        self.send(method="notifications/initialized")

    def send(self, **message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def request(self, method, **params):
        self.next += 1
        self.send(id=self.next, method=method, params=params)
        while True:
            answer = json.loads(self.process.stdout.readline())
            if answer.get("id") == self.next:
                return answer["result"]

    def call(self, tool, **arguments):
        return self.request("tools/call", name=tool, arguments=arguments)["structuredContent"]


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
        import base64
        self.cdp("Emulation.setScrollbarsHidden", hidden=True)
        shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=True)
        (SHOTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

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
        server.process.stdin.close()
        assert server.process.wait(30) == 0
    print(f"the page works in Chromium; screenshots in {SHOTS}")


if __name__ == "__main__":
    sys.exit(main())
