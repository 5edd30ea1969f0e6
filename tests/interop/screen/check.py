"""No text of others draws a row of ours on the approval screen, and none pushes what is essential
out of sight: over every code point alone and 100,000 generated texts, at 40, 80 and 120 columns."""

import fcntl
import json
import os
import pty
import random
import sqlite3
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import unicodedata
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import ink
from asker import BINARY, Server

WIDTHS = (40, 80, 120)
TEXTS = int(os.environ.get("TEXTS", 100_000))
BATCH = 500
LAST = 10
STRANGER = "acs:ram::1999999999999999"
# The name of a row that holds a text, and nothing else does.
MARKED = '"TEXT"'


def question(server, tool, **arguments):
    """The record of a question, as the approver reads it, and its match code."""
    asked = server.call(tool, **arguments)
    code = asked["Confirmation"]["MatchCode"]
    with sqlite3.connect(f"{server.home}/state/store.sqlite") as store:
        (record,) = store.execute("SELECT record FROM approvals WHERE match_code = ?", (code,)).fetchone()
    return json.loads(record), code


def questions(server):
    """Questions of each kind that a person is asked."""
    for name in ("app/db", "x" * 192):
        server.call("CreateSecret", SecretName=name, VersionId="v1", SecretData="hunter2-hunter2", AutoKey=True)
    own = server.call("DescribeSecret", SecretName="app/db")["Result"]["Arn"].split(":")[3]
    statement = {"Effect": "Allow", "Principal": {"RAM": [f"acs:ram::{own}:*"]}, "Action": ["kms:*"], "Resource": ["*"]}
    others = [f"{STRANGER}:user/{'u' * 40}{n}" for n in range(60)]
    policies = {
        "usual": [statement],
        "locks out": [{**statement, "Effect": "Deny"}],
        "stranger": [statement, {**statement, "Principal": {"RAM": [f"{STRANGER}:root"]}}],
        "long": [{**statement, "Sid": f"s{n}", "Principal": {"RAM": others}, "Action": ["kms:GetSecretValue"]} for n in range(6)],
    }
    found = {
        "reveal": question(server, "GetSecretValue", SecretName="app/db", Destination="agent"),
        "long name": question(server, "GetSecretValue", SecretName="x" * 192, Destination="agent"),
        "force": question(server, "DeleteSecret", SecretName="app/db", ForceDeleteWithoutRecovery=True),
    }
    for kind, statements in policies.items():
        name = "x" * 192 if kind == "long" else "app/db"
        found[kind] = question(server, "SetSecretPolicy", SecretName=name, Policy={"Version": "1", "Statement": statements})
    return found


def screens(asked):
    """The screens of records at so many columns, as `approve` shows them."""
    lines = "".join(json.dumps({"columns": columns, "record": record}) + "\n" for record, columns in asked)
    done = subprocess.run([os.environ["SCREENS"]], input=lines, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def at_terminal(server, code, columns):
    """The screen of `kms-mcp approve` on a terminal of so many columns, up to its end."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [BINARY, "approve", code, "--state-dir", f"{server.home}/state"],
        stdin=slave, stdout=slave, stderr=slave, env={"HOME": server.home, "TERM": "xterm"})
    os.close(slave)
    os.write(master, b"\x04")
    shown = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    process.wait(30)
    os.close(master)
    return shown.decode().replace("\r\n", "\n")


def with_texts(record, texts):
    """The record with each text in a row of its own."""
    return {**record, "arguments": [["TEXT", text] for text in texts]}


def rows_of(screen):
    """The lines of each row that holds a text."""
    rows, inside = [], False
    for line in screen.split("\n"):
        if line.startswith(f"  {MARKED}"):
            rows.append([line])
            inside = True
        elif inside and line[:1] == ">":
            rows[-1].append(line)
        else:
            inside = False
    return rows


def own_rows(found):
    """The ink of all rows of ours, at each width: of each line that is not the rest of a text."""
    own = {}
    for columns in WIDTHS:
        records = [record for record, _ in found.values()]
        records += [{**found["reveal"][0], "destination": to} for to in ("mask", "file", "person")]
        drawn = set()
        for screen in screens([(record, columns) for record in records]):
            drawn |= {ink.inked(cells) for cells in ink.lines(screen, columns) if cells[0] != ">"}
        own[columns] = drawn - {()}
    return own


def check_lines(lines, columns, own, of):
    """No line of a text is a row of ours, and none has room for one: a text never leaves two cells
    side by side without ink."""
    for number, cells in enumerate(ink.lines("\n".join(lines), columns)):
        drawn = ink.inked(cells)
        assert drawn not in own, f"{of!r} at {columns} columns draws {''.join(cells)!r}"
        if number:
            assert drawn[0], f"{of!r} at {columns} columns: no mark before {''.join(cells)!r}"
        values = drawn[19:]
        blank = next((at for at in range(len(values) - 1) if not values[at] and not values[at + 1]), None)
        assert blank is None, f"{of!r} at {columns} columns leaves blank cells: {''.join(cells)!r}"


def check_code_points(codes, record, own):
    """Each alone, and four of it after a letter: what is shown as it is has ink, takes columns, and
    stands at most twice on a letter."""
    raw = []
    for start in range(codes.start, codes.stop, 5_000):
        batch = [chr(code) for code in range(start, min(start + 5_000, codes.stop)) if not 0xD800 <= code < 0xE000]
        alone, after = screens([(with_texts(record, batch), 80), (with_texts(record, ["x" + c * 4 for c in batch]), 80)])
        alone, after = rows_of(alone), rows_of(after)
        assert len(alone) == len(after) == len(batch), (len(alone), len(after), len(batch))
        for character, lines, more in zip(batch, alone, after):
            if not character.isascii() and any(character in line for line in lines):
                raw.append(character)
                assert unicodedata.category(character)[0] not in "CZ" or unicodedata.category(character) == "Cn", ink.name(character)
                assert ink.glyph(character) != 0, f"{ink.name(character)} is shown and draws nothing"
                check_lines(lines, 80, own[80], character)
            if not character.isascii() and any(character in line for line in more):
                assert ink.most_in_one_cell(more[0]) <= 3, f"{ink.name(character)}: marks without number"
                check_lines(more, 80, own[80], character)
    for columns in WIDTHS:
        # Enough of it for a second line.
        texts = [character * ((columns - 20) // 2 + 2) for character in raw]
        for start in range(0, len(texts), BATCH):
            (screen,) = screens([(with_texts(record, texts[start:start + BATCH]), columns)])
            for text, lines in zip(texts[start:start + BATCH], rows_of(screen)):
                # The terminal emulator is slow: of the many ideographs some are drawn.
                if ord(text[0]) % 16 == 0 or not "CJK" in unicodedata.name(text[0], ""):
                    check_lines(lines, columns, own[columns], text[0])
    return len(raw)


# What pushes text aside, joins it or hides it, as well as can be.
ASIDE = [*" \u2800\u3164\u115f\u1160\uffa0\u00a0\u1680\u3000\u200b\u200d\u2060\ufeff\u00ad\u034f\u061c\u202e\u2028\t\n\r",
         "\U00013441", "\U0001d159", "\U000e0020", "\u0301", "\u20e0", "\u0488", "\u1161", "\u17b4", "\ufe0f", "\u180e",
         " \u0301", " \u1039", "\ufffc", "\x1b[2C", "\x1b[8m", "\x08"]


def generated(seed, count, plain_rows):
    """Texts that would draw a row of ours where a line breaks, and texts of any characters."""
    dice = random.Random(seed)
    for _ in range(count):
        filler = dice.choice(["x", "rotation check ", "密", "e\u0301", "\u2800", "a b "])
        text = (filler * 200)[:dice.randrange(120)]
        if dice.random() < 0.7:
            gap = dice.choice(ASIDE)
            row = dice.choice(plain_rows)
            text += gap * dice.randrange(3) + row.replace(" ", gap) if dice.random() < 0.8 else "\r\n" + row
            text += dice.choice(["", gap * dice.randrange(40)]) + dice.choice(plain_rows).replace(" ", dice.choice(ASIDE))
        else:
            kinds = [lambda: dice.choice(ASIDE), lambda: chr(dice.randrange(0x20, 0x7f)), lambda: chr(dice.randrange(0xa0, 0xd800)),
                     lambda: chr(dice.randrange(0xe000, 0x20000))]
            text += "".join(dice.choice(kinds)() for _ in range(dice.randrange(100)))
        yield text[:200]


def check_texts(seed, count, record, own, plain_rows):
    texts = list(generated(seed, count, plain_rows))
    for start in range(0, count, BATCH):
        batch = texts[start:start + BATCH]
        for columns in WIDTHS:
            (screen,) = screens([(with_texts(record, batch), columns)])
            rows = rows_of(screen)
            assert len(rows) == len(batch), "each text has its own row"
            for text, lines in zip(batch, rows):
                check_lines(lines, columns, own[columns], text)
    return count


def check_essentials(found, server):
    """Code, action, secret, destination and principals stand in the last lines before the prompt,
    whatever stands above; and the screens of this check are those of `kms-mcp approve`."""
    for kind, (record, code) in found.items():
        for columns in WIDTHS:
            (screen,) = screens([(record, columns)])
            shown = at_terminal(server, code, columns)
            assert shown.startswith(screen), (kind, columns, shown, screen)
            before, prompt, _ = shown.rpartition("Approve? ")
            assert prompt, shown[-400:]
            last = before.rstrip("\n").split("\n")[-LAST:]
            end = "".join(line[9:] for line in last)
            wanted = [code, record["tool"], record["resource"]]
            if record["destination"]:
                wanted.append("to the agent's conversation")
            if kind == "locks out":
                wanted.append("LOCKS YOU OUT")
            if kind in ("stranger", "long"):
                wanted.append("ANOTHER ACCOUNT")
            if kind == "stranger":
                wanted.append(f"{STRANGER}:root")
            for text in wanted:
                assert text in end or text.replace(" ", "") in end.replace(" ", ""), (kind, columns, text, last)


def main():
    with tempfile.TemporaryDirectory() as home:
        server = Server(home)
        found = questions(server)
        check_essentials(found, server)
        server.end()
    print("the essentials stand in the last ten lines")
    record = {**found["reveal"][0], "agent_says": None}
    own = own_rows(found)
    (plain,) = screens([(found["reveal"][0], 80)])
    plain_rows = [line for line in plain.split("\n") if line.startswith("  ")]
    plain_rows += ["  Value goes to    nowhere, it is masked", "  PIN              set, asked next"]
    jobs = os.cpu_count() or 1
    with ProcessPoolExecutor(jobs) as pool:
        step = 0x2000
        ranges = [range(start, start + step) for start in range(0, 0x110000, step)]
        raw = sum(pool.map(check_code_points, ranges, [record] * len(ranges), [own] * len(ranges)))
        print(f"of every code point {raw} are shown as they are, with ink")
        part = 1_000
        seeds = range(-(-TEXTS // part))
        done = sum(pool.map(check_texts, seeds, [part] * len(seeds), [record] * len(seeds), [own] * len(seeds),
                            [plain_rows] * len(seeds)))
    print(f"none of {done} texts draws a row of ours at {WIDTHS} columns")


if __name__ == "__main__":
    main()
