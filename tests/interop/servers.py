"""`kms-mcp serve` as an MCP client starts it, by the official Python client."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

from mcp import Client, StdioServerParameters

from programs import BINARY, PATIENCE, approve


class Session:
    """An open session and the person beside it."""

    def __init__(self, client, state: Path):
        self.client, self.state = client, state

    async def reply(self, tool, **arguments):
        """What a tool answers, as the client checked it against the output schema."""
        result = await self.client.call_tool(tool, arguments)
        envelope = result.structured_content
        assert result.is_error == (envelope["Status"] in ("error", "denied")), envelope
        return envelope

    async def ok(self, tool, **arguments):
        """The same of a call that must succeed at once."""
        envelope = await self.reply(tool, **arguments)
        assert envelope["Status"] == "ok", envelope
        return envelope

    async def confirmed(self, tool, *typed, **arguments):
        """A call that must ask first; a person types `typed`, or the token alone is enough."""
        asked = await self.reply(tool, **arguments)
        assert asked["Status"] == "confirmation_required", asked
        confirmation = asked["Confirmation"]
        if typed:
            await self.person(confirmation["MatchCode"], *typed)
        return await self.reply(tool, **arguments, ConfirmationToken=confirmation["Token"])

    async def person(self, code, *typed):
        return await asyncio.to_thread(approve, self.state, code, *typed)


# An approval without a PIN, and an endpoint on the loopback address, are both no default.
LOOSE = 'approval.require_factor = false\nnetwork.endpoints = ["http://127.0.0.1:*"]\n'


@asynccontextmanager
async def session(home: Path, *arguments, mode="auto", env=None, config="wait_seconds = 20\n"):
    """A session; when it closes, the server must have ended well by itself."""
    folder = home / ".config" / "kms-mcp"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(LOOSE + config)
    (folder / "config.toml").chmod(0o600)
    state, ended = home / "state", home / "ended"
    ended.unlink(missing_ok=True)
    command = [BINARY, "serve", "--state-dir", str(state), *arguments]
    # The shell stays to tell the exit code, which the client keeps to itself.
    script = '"$@"; echo $? > "$ENDED"'
    server = StdioServerParameters(
        command="/bin/sh",
        args=["-c", script, "kms-mcp", *command],
        env={"HOME": str(home), "ENDED": str(ended), **(env or {})},
    )
    async with Client(server, mode=mode, read_timeout_seconds=PATIENCE) as client:
        yield Session(client, state)
    assert ended.read_text() == "0\n", "the server ends when its client closes"
