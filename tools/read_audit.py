#!/usr/bin/env python3
"""Answers an auditor's questions from a folder of kms-mcp audit logs, without kms-mcp.

    read_audit.py DIR [--key FILE|BASE64URL] [--month 2026-11] --disclosures | --denials
    read_audit.py DIR [--key FILE|BASE64URL] [--month 2026-11] --actiontrail FILE

--disclosures  who disclosed which secret to whom, when, and how that was approved
--denials      what was refused, why, and by whom if a person said no
--actiontrail  events of KMS in that ActionTrail file (JSON) whose request is not in the log: what
               happened outside kms-mcp. It is as complete as the file and the folder are.

The folder is verified first, on stderr; the exit code is that of tools/verify_audit.py, or 3 if a
part of the ActionTrail file cannot be read. Answers are lines of tab-separated fields on stdout;
what is not known is `-`. Times are UTC.

`proven` is `yes` if all records that a row stands on come before the last signature of a file
without a flaw: the others, anybody who can write the folder can have written. In `why` of
--actiontrail, `missing` is not in the log, `differs` is there as another action or of another secret, and `unproven` is
there in a record that is not proven, or that has no intent. A row `suppressed` of --denials tells in
`code` how many refusals came too fast to be recorded one by one.
"""
import argparse, contextlib, json, re, sys

from verify_audit import joined, public_key, verify

REFUSED = ("denied", "client_declined", "factor_failed", "factor_changed", "lockout", "egress_blocked",
           "suppressed")
DISCLOSURE = "time secret version to client level method approved-by outcome code request instance seq proven"
REFUSAL = "time event tool secret code rule client destination method who instance seq proven"
OUTSIDE = "time event who request user-agent why"
KMS = re.compile(r"(^|[./:-])kms([./:-]|$)", re.I)
BLANK = re.compile(r"[ \t\r\n]*")
KEY = re.compile(r"(LTAI|STS\.|TMP\.)[A-Za-z0-9*]{8,}")
DEPTH = 4


def member(record, path):
    """What is at a path of names, whatever their case; text on the way may hold JSON."""
    for name in path.split("."):
        if isinstance(record, str):
            record = (documents(record) or [None])[0]
        if not isinstance(record, dict):
            return None
        folded = {key.lower(): value for key, value in record.items()}
        record = record.get(name, folded.get(name.lower()))
    return record


def text(record, path):
    value = member(record, path)
    return value if isinstance(value, str) and value else None


def row(record, *paths):
    """The members at those paths; control characters escaped."""
    values = [member(record, path) for path in paths]
    texts = [KEY.sub("(an AccessKey)", str(value)) for value in values]
    return ["-" if value in (None, "") else ascii(shown)[1:-1] for value, shown in zip(values, texts)]


def head(names):
    return [name.replace("-", " ") for name in names.split()]


class Log:
    """The records of one folder, as they come by: each with its file and its line in it."""

    def __init__(self, month):
        self.month, self.intents, self.results, self.answers, self.noes = month, {}, {}, {}, {}
        self.reveals, self.denials = [], []

    def visit(self, file, record):
        seen, event, closes = (file, file.records, record), record["event"], record.get("intent")
        if event == "intent":
            self.intents[file.instance, record["seq"]] = seen
        if event == "result" and isinstance(closes, int):
            self.results[file.instance, closes] = seen
        # RequestIds join whatever the month: the clocks of two machines differ.
        if request := text(record, "upstream.request_id"):
            self.answers.setdefault(request.upper(), []).append(seen)
        if event == "denied" and "call" not in record and text(record, "approval.token_id"):
            self.noes[text(record, "approval.token_id")] = seen
        if not (text(record, "time") or "").startswith(self.month):
            return
        if event == "intent" and text(record, "destination") not in (None, "mask"):
            self.reveals.append(seen)
        if event in REFUSED:
            self.denials.append(seen)

    def disclosures(self):
        yield head(DISCLOSURE)
        for seen in self.reveals:
            file, _, record = seen
            result = self.results.get((file.instance, record["seq"]))
            yield (row(record, "time", "resource.name", "resource.version", "destination", "client", "level",
                       "approval.method", "approval.who")
                   + row(result[2] if result else {"outcome": "unknown"}, "outcome", "code", "upstream.request_id")
                   + row(record, "instance", "seq") + [proven(seen, result or seen)])

    def refusals(self):
        yield head(REFUSAL)
        for seen in self.denials:
            # A call that was refused because a person said no names the token that they said it to.
            said = self.noes.get(text(seen[2], "approval.token_id"), seen)
            codes = member(seen[2], "suppressed.codes")
            counted = {"code": " ".join(f"{code}={codes[code]}" for code in codes)} if isinstance(codes, dict) else seen[2]
            yield (row(seen[2], "time", "event", "tool", "resource.name") + row(counted, "code")
                   + row(seen[2], "rule", "client", "destination")
                   + row(said[2], "approval.method", "approval.who")
                   + row(seen[2], "instance", "seq") + [proven(seen, said)])

    def outside(self, events):
        yield head(OUTSIDE)
        for event in sorted(events, key=lambda event: text(event, "eventTime") or ""):
            time, why = text(event, "eventTime"), self.missing(event)
            if why and (not time or time.startswith(self.month)):
                who = "userIdentity.principalId" if text(event, "userIdentity.principalId") else "userIdentity.userName"
                yield row(event, "eventTime", "eventName", who) + row({"id": request(event)}, "id") + row(event, "userAgent") + [why]

    def missing(self, event):
        """Why the log does not account for an event; nothing if it does."""
        known = self.answers.get((request(event) or "").upper(), [])
        action, secrets = (text(event, "eventName") or "").lower(), secrets_of(event)
        same = [seen for seen in known if action == (text(seen[2], "action") or "").lower()
                and (not secrets or secret_name(text(seen[2], "resource.name")) in (None, *secrets))]
        if not same:
            return "differs" if known else "missing"
        for seen in same:
            closes = seen[2].get("intent")
            intent = self.intents.get((seen[0].instance, closes)) if isinstance(closes, int) else None
            if intent and proven(seen, intent) == "yes":
                return None
        return "unproven"


def proven(*records):
    """Whether the verifier vouches for all of them."""
    vouched = all(file.verdict[0] in (0, 2) and line <= file.proved for file, line, _ in records)
    return "yes" if vouched else "no"


def request(event):
    return (text(event, "requestId") or text(event, "requestParameters.RequestId")
            or text(event, "requestParameterJson.RequestId"))


def secret_name(name):
    """The name of a secret in its ARN, or as it is."""
    return name.split(":secret/", 1)[1] if name and name.startswith("acs:kms:") and ":secret/" in name else name


def secrets_of(event):
    """The secrets that an event names; of several resources the names are joined by `;`."""
    names = text(event, "requestParameters.SecretName") or text(event, "requestParameterJson.SecretName")
    if not names:
        names, kind = text(event, "resourceName") or "", text(event, "resourceType")
        if kind and "secret" not in kind.lower() and ":secret/" not in names:
            names = ""
    return [secret_name(name.strip()) for name in names.split(";") if name.strip()]


def documents(given):
    """The JSON documents in a text, one after the other; nothing if it is not all JSON."""
    decoder, found, at = json.JSONDecoder(), [], 0
    try:
        while (at := BLANK.match(given, at).end()) < len(given):
            value, at = decoder.raw_decode(given, at)
            found.append(value)
    except (ValueError, RecursionError):
        return None
    return found


class Trail:
    """The events of KMS in a file, each once, however they are wrapped."""

    def __init__(self, path):
        self.events, self.broken, self.seen = [], 0, set()
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            given = file.read()
        whole = documents(given)
        if whole is None:
            # One bad line must not hide the others.
            lines = [documents(line) for line in given.split("\n") if line.strip()]
            self.broken += lines.count(None)
            whole = [value for line in lines for value in line or []]
        for value in whole:
            self.take(value, 0)

    def take(self, value, depth):
        if isinstance(value, str):
            value = documents(value)
            value = value[0] if value and len(value) == 1 else None
        if depth > DEPTH or not isinstance(value, (list, dict)):
            self.broken += 1
        elif isinstance(value, list):
            for inner in value:
                self.take(inner, depth + 1)
        elif text(value, "eventName"):
            self.event(value)
        else:
            names = {name.lower(): name for name in value}
            inner = next((names[name] for name in ("events", "event", "data") if name in names), None)
            self.take(value[inner] if inner is not None else None, depth + 1)

    def event(self, event):
        service, host = text(event, "serviceName"), text(event, "eventSource")
        of_kms = (service or "").lower() == "kms" or KMS.search(host or "") or not (service or host)
        name = (request(event), text(event, "eventName"), *secrets_of(event))
        if of_kms and not (name[0] and name in self.seen):
            self.seen.add(name)
            self.events.append(event)


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
    log, broken = Log(given.month), 0
    try:
        with contextlib.redirect_stdout(sys.stderr):
            verdict = verify(given.folder, [public_key(key) for key in given.key], visit=log.visit)
        if given.actiontrail:
            trail = Trail(given.actiontrail)
            answer, broken = log.outside(trail.events), trail.broken
        else:
            answer = log.disclosures() if given.disclosures else log.refusals()
        for line in answer:
            print("\t".join(line))
    except (OSError, ValueError) as error:
        print(f"read_audit.py: {error}", file=sys.stderr)
        return 3
    if broken:
        print(f"UNREADABLE: {broken} parts of the ActionTrail file are no events", file=sys.stderr)
    return verdict or (3 if broken else 0)


if __name__ == "__main__":
    sys.exit(main())
