"""kms-mcp as its users start it: an emulator, a person at a terminal."""

import json
import os
import pty
import subprocess
import threading
from pathlib import Path

BINARY = os.environ["KMS_MCP_BINARY"]
PATIENCE = 30


class Emulator:
    """`kms-mcp emulator` on a folder: data in `data`, faults from `faults.toml`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.process = subprocess.Popen(
            [BINARY, "emulator", "--listen", "127.0.0.1:0", "--data", folder / "data"]
            + ["--faults", folder / "faults.toml", "--requests", folder / "requests.jsonl"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={},
        )
        says = json.loads(self.process.stdout.readline())
        self.url = says["Url"]
        self.address = self.url.removeprefix("http://")
        self.region = says["RegionId"]
        self.account = says["AccountId"]
        self.key_id = says["AccessKeyId"]
        self.key_secret = says["AccessKeySecret"]

    def faults(self, toml: str):
        (self.folder / "faults.toml").write_text(toml)

    def requests(self):
        """What it was asked: names and outcomes."""
        path = self.folder / "requests.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def stop(self):
        """Asks it to end; gives its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.stdout.close()


def approve(state: Path, code: str, *lines: str) -> str:
    """Runs `kms-mcp approve CODE` at a terminal, types `lines`; gives what the terminal showed."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [BINARY, "approve", code, "--state-dir", state],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={"HOME": str(state.parent), "TERM": "xterm"},
        start_new_session=True,
    )
    os.close(slave)
    shown = bytearray()

    def read():
        try:
            while chunk := os.read(master, 4096):
                shown.extend(chunk)
        except OSError:
            pass  # the other side has closed: the end

    reader = threading.Thread(target=read)
    reader.start()
    # The kernel keeps what is typed until it is read, so no prompt is waited for.
    for line in lines:
        os.write(master, line.encode() + b"\n")
    try:
        code = process.wait(PATIENCE)
    finally:
        process.kill()
        reader.join(PATIENCE)
        os.close(master)
    text = shown.decode(errors="replace")
    assert code == 0, text
    return text
