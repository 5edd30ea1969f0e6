"""A log of two months, made up: what a report is drawn from in the browser check."""

import json
import random
from datetime import datetime, timedelta, timezone

PEOPLE = [("uid 1000 at /dev/pts/0", "terminal", 9000), ("uid 1000 on the page", "page", 2500),
          ("uid 1001 through a pipe", "pipe", 240000)]
HOSTILE = "<img src=x onerror=alert(1)>\u202e" + "x" * 60


def write(folder):
    """Writes one file a process: a server, and those who approved. Hashes are left out."""
    dice, files = random.Random(7), {}

    def record(instance, time, event, **members):
        lines = files.setdefault(instance, [])
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        lines.append({"seq": len(lines) + 1, "time": stamp, "instance": instance, "event": event, **members})
        return len(lines)

    start, call = datetime(2026, 9, 1, tzinfo=timezone.utc), 0
    record("a" * 16, start, "start")
    for day in range(60):
        for _ in range(dice.randrange(0, 9)):
            call += 1
            time = start + timedelta(days=day, seconds=dice.randrange(80000))
            kind = dice.choices(["reveal", "write", "refused", "lost", "asked"], [5, 6, 2, 0.4, 2])[0]
            secret = dice.choice(["prod/db", "prod/payments/stripe", "dev/cache", "app/token"])
            about = {"call": f"c{call}", "resource": {"name": secret}, "client": "claude-code/2"}
            read = {**about, "action": "GetSecretValue", "risk": "reveal", "rule": "reveal",
                    "destination": dice.choices(["agent", "file", "person"], [4, 3, 1])[0]}
            if kind in ("reveal", "asked"):
                record("a" * 16, time, "challenge", **read)
                who, method, usual = dice.choice(PEOPLE)
                said = {"who": who, "method": method, "latency_ms": int(usual * dice.lognormvariate(0, .8)),
                        "record_digest": f"{call:064x}"}
                decided = {name: read[name] for name in ("action", "risk", "rule", "resource", "destination")}
                yes = kind == "reveal"
                record("b" * 15 + "123"[PEOPLE.index((who, method, usual))], time,
                       "approved" if yes else "denied", approval=said, **decided)
                if not yes:
                    record("a" * 16, time, "denied", **about, action="GetSecretValue", code="ConfirmationDeclined")
                    continue
                seq = record("a" * 16, time, "intent", **read, decision="allow", approval=said)
                record("a" * 16, time, "result", intent=seq, **about, outcome="ok")
            elif kind == "refused":
                code = dice.choice([{"code": "DeniedByPolicy", "rule": "inline-access-keys"},
                                    {"code": "InvalidArgument"}, {"code": "ConfirmationExpired"}])
                record("a" * 16, time, "denied", **about, action="CreateSecret", **code)
            else:
                action = dice.choice(["CreateSecret", "PutSecretValue", "DeleteSecret", "DescribeSecret"])
                rule = {"DescribeSecret": "inspect"}.get(action, "write")
                seq = record("a" * 16, time, "intent", **about, action=action, risk="write",
                             rule=rule, decision="allow")
                if kind != "lost":
                    outcome = dice.choices([{"outcome": "ok"}, {"outcome": "failed", "code": "Throttling"}], [9, 1])[0]
                    record("a" * 16, time, "result", intent=seq, **about, **outcome)
    record("a" * 16, start + timedelta(days=60), "denied", call="c0", action=HOSTILE,
           resource={"name": HOSTILE}, code=HOSTILE)
    record("a" * 16, start + timedelta(days=60), "lockout")
    record("a" * 16, start + timedelta(days=60), "stop")
    for instance, lines in files.items():
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"20260901T000000Z-{instance}.jsonl").write_text(text)
