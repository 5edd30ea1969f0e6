#!/usr/bin/env python3
"""Answers an auditor's questions from a folder of kms-mcp audit logs, without kms-mcp.

    read_audit.py DIR [--key FILE|BASE64URL] [--month 2026-11] --disclosures | --denials
    read_audit.py DIR [--key FILE|BASE64URL] [--month 2026-11] --actiontrail FILE

--disclosures  who disclosed which secret to whom, when, and how that was approved
--denials      what was refused, and why
--actiontrail  events of KMS in that ActionTrail file (JSON) whose request is not in the log: what
               happened outside kms-mcp. It is as complete as the file and the folder are.

The folder is verified first, on stderr; the exit code is that of tools/verify_audit.py. Answers are
lines of tab-separated fields on stdout; what is not known is `-`. Times are UTC.
"""
import argparse, contextlib, json, sys

from verify_audit import joined, public_key, verify

REFUSED = ("denied", "client_declined", "factor_failed", "factor_changed", "lockout", "egress_blocked")


def at(record, path):
    """The member at a path of names, `-` if it is not there; control characters escaped."""
    for name in path.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return "-" if record is None else ascii(str(record))[1:-1]


def row(record, *paths):
    return "\t".join(at(record, path) for path in paths)


class Log:
    """The records of one folder, as they come by."""

    def __init__(self, month):
        self.month, self.outcomes, self.reveals, self.denials, self.requests = month, {}, [], [], set()

    def visit(self, file, record):
        # RequestIds join whatever the month: the clocks of two machines differ.
        if at(record, "upstream.request_id") != "-":
            self.requests.add(record["upstream"]["request_id"].upper())
        if record["event"] == "result" and "intent" in record:
            self.outcomes[file.instance, record["intent"]] = record
        if not at(record, "time").startswith(self.month):
            return
        if record["event"] == "intent" and at(record, "destination") not in ("-", "mask"):
            self.reveals.append((file.instance, record))
        if record["event"] in REFUSED:
            self.denials.append(record)

    def disclosures(self):
        yield "time\tsecret\tversion\tto\tclient\tlevel\tmethod\tapproved by\toutcome\tcode\trequest"
        for instance, record in self.reveals:
            result = self.outcomes.get((instance, record["seq"]), {"outcome": "unknown"})
            yield row(record, "time", "resource.name", "resource.version", "destination", "client", "level",
                      "approval.method", "approval.who") + "\t" + row(result, "outcome", "code", "upstream.request_id")

    def refusals(self):
        yield "time\tevent\ttool\tsecret\tcode\trule\tclient"
        for record in self.denials:
            yield row(record, "time", "event", "tool", "resource.name", "code", "rule", "client")

    def outside(self, path):
        yield "time\tevent\twho\trequest\tuser agent"
        for event in sorted(events(path), key=lambda event: at(event, "eventTime")):
            request = event.get("requestId", event.get("RequestId"))
            known = isinstance(request, str) and request.upper() in self.requests
            if not known and at(event, "eventTime").startswith(self.month):
                yield row(event, "eventTime", "eventName", "userIdentity.principalId", "requestId", "userAgent")


def events(path):
    """The KMS events of a file: a list, one object with `Events`, or one object a line."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        found = json.loads(text)
    except ValueError:
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(found, dict):
        found = found.get("Events", found.get("events", [found]))
    for event in found:
        event = event.get("event", event) if isinstance(event, dict) else {}
        service = str(event.get("serviceName", event.get("eventSource", "kms"))).lower()
        if "kms" in service:
            yield event


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", metavar="DIR")
    parser.add_argument("--key", action="append", default=[], metavar="FILE|BASE64URL")
    parser.add_argument("--month", default="", metavar="YYYY-MM")
    question = parser.add_mutually_exclusive_group(required=True)
    question.add_argument("--disclosures", action="store_true")
    question.add_argument("--denials", action="store_true")
    question.add_argument("--actiontrail", metavar="FILE")
    given = parser.parse_args(joined(sys.argv[1:]))
    log = Log(given.month)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            verdict = verify(given.folder, [public_key(key) for key in given.key], visit=log.visit)
        if given.actiontrail:
            answer = log.outside(given.actiontrail)
        else:
            answer = log.disclosures() if given.disclosures else log.refusals()
        for line in answer:
            print(line)
    except (OSError, ValueError) as error:
        print(f"read_audit.py: {error}", file=sys.stderr)
        return 3
    return verdict


if __name__ == "__main__":
    sys.exit(main())
