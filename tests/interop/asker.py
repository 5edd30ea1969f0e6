"""`kms-mcp serve` on the embedded KMS, spoken to over stdio, for the checks of screen and page."""

import json
import os
import subprocess
from pathlib import Path

BINARY = os.environ["KMS_MCP_BINARY"]
CONFIG = """wait_seconds = 0
[approval]
require_factor = false
[limits]
pending = 20
questions = 100
cool_off_seconds = 0
"""


class Server:
    def __init__(self, home):
        self.home, self.next = home, 0
        folder = Path(home) / ".config/kms-mcp"
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text(CONFIG)
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

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0
