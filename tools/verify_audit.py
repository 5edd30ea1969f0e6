#!/usr/bin/env python3
"""Verifies folders of kms-mcp audit logs without kms-mcp. Python 3 and its standard library only.

    verify_audit.py DIR... [--key FILE|BASE64URL]... [--checkpoints FILE]

Written from the description of the format in src/audit/mod.rs, not from its code. Exit code: 0
verified, 1 tampered, 2 tail not proven, 3 unreadable. Name the key that `kms-mcp audit key` printed;
without it the log is checked against the key that it names itself.
"""
import argparse, base64, hashlib, json, os, re, stat, sys

from ed25519 import is_key, verifies

WORDS = {0: "verified", 1: "TAMPERED", 2: "TAIL NOT PROVEN", 3: "UNREADABLE"}
SIGNED = ("checkpoint", "rotate", "stop")
LINE_END = re.compile(rb'(.*),"hash":"([0-9a-f]{64})"}', re.S)
SIGNATURE = re.compile(rb'(.*),"signature":"([A-Za-z0-9_-]{86})"', re.S)
NAME = re.compile(r"([0-9]{8}T[0-9]{6}Z)-([A-Za-z0-9_-]{1,64})(?:\.([1-9][0-9]*))?\.jsonl", re.A)
PRINTABLE = re.compile(rb"[ -~]*")
MAX_LINE, DEPTH = 64 * 1024, 127

class Flaw(Exception):
    """Why a line cannot be believed."""


def unbase64(text, length):
    """Bytes of the one base64url text, without padding, that stands for them."""
    try:
        octets = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except ValueError:
        return None
    exact = base64.urlsafe_b64encode(octets).rstrip(b"=").decode() == text
    return octets if exact and len(octets) == length else None


def joined(words):
    """The command line, each key with its option: a key may begin with `-`."""
    words = [*words, ""]
    pairs = zip(words, words[1:])
    return [f"{word}={after}" if word == "--key" else word for before, (word, after) in
            zip(["", *words], pairs) if before != "--key"]


def refuse(text):
    raise Flaw(f"{text} is no value of a record")


def integer(text):
    number = int(text) if len(text) <= 20 else refuse(text)
    return number if text != "-0" and -(2**63) <= number < 2**64 else refuse(text)


def members(pairs):
    if len(dict(pairs)) != len(pairs):
        raise Flaw("a member stands twice")
    return dict(pairs)


def check_values(value, depth=0):
    """No null, no boolean, half no character, not too deep."""
    if isinstance(value, str):
        if any("\ud800" <= c <= "\udfff" for c in value):
            raise Flaw("half a character")
    elif isinstance(value, (dict, list)):
        if depth >= DEPTH:
            raise Flaw("nested too deep")
        for inner in [*value, *value.values()] if isinstance(value, dict) else value:
            check_values(inner, depth + 1)
    elif isinstance(value, bool) or not isinstance(value, int):
        refuse(value)


def count(record, name):
    value = record.get(name)
    return value if isinstance(value, int) and value >= 0 else None


def read_line(line):
    """The record on a line, its hash, and the key that signed it, if one had to."""
    if not PRINTABLE.fullmatch(line):
        raise Flaw("not printable ASCII")
    try:
        record = json.loads(line, object_pairs_hook=members, parse_int=integer,
                            parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise Flaw("not JSON") from None
    check_values(record)
    parts = LINE_END.fullmatch(line)
    if not isinstance(record, dict) or not parts:
        raise Flaw("`hash` is missing or not last")
    texts = [record.get(name) for name in ("event", "instance", "prev")]
    if count(record, "seq") is None or not all(isinstance(text, str) for text in texts):
        raise Flaw("`seq`, `instance`, `event` or `prev` is missing")
    body, found = parts[1], parts[2].decode()
    if hashlib.sha256(b"kms-mcp/audit/v1\0" + record["prev"].encode() + body).hexdigest() != found:
        raise Flaw("bad hash")
    if record["event"] not in SIGNED:
        return record, found, None
    signed, name = SIGNATURE.fullmatch(body), record.get("key")
    key = unbase64(name, 32) if isinstance(name, str) else None
    signature = signed and unbase64(signed[2].decode(), 64)
    if not key or not signature or not verifies(key, b"kms-mcp/audit/signature/v1\0" + signed[1], signature):
        raise Flaw("bad signature")
    return record, found, key


def name_of(file):
    """Time, instance and number of the file of that name in its chain; nothing if it is none of a log."""
    parts = NAME.fullmatch(file)
    number = int(parts[3]) if parts and parts[3] else 1
    # The first file of a chain has no number, and no number is greater than 32 bits.
    return (parts[1], parts[2], number) if parts and (not parts[3] or 1 < number < 2**32) else None


class File:
    """One file of a log, read line by line until the first flaw."""

    def __init__(self, folder, name, keys, copy, visit=None):
        self.name, self.first, self.last, self.end = name, None, None, None
        self.records, self.proved, self.flaw, self.torn, self.error = 0, 0, None, False, None
        self.open, self.closed, self.copied, self.verdict = set(), [], set(), None
        self.time, self.instance, self.part = name_of(name)
        # With a copy only copied records prove anything: who has the key can sign all others.
        self.copy = None if copy is None else copy.get(self.instance, {})
        path = os.path.join(folder, name)
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                raise OSError("not a regular file")
            with open(path, "rb") as file:
                self.read(file, keys, visit)
        except OSError as error:
            self.error, self.verdict = error, (3, str(error))

    def read(self, file, keys, visit):
        while line := file.readline(MAX_LINE + 1):
            try:
                if len(line) > MAX_LINE or (len(line) == MAX_LINE and line[-1:] != b"\n"):
                    raise Flaw("too long")
                if line[-1:] != b"\n":
                    self.torn = True
                    return
                record, found, key = read_line(line[:-1])
                self.check(record, found)
                if key and not keys:
                    keys.append(key)
                if key and key not in keys:
                    raise Flaw("signed with another key")
            except Flaw as flaw:
                self.flaw = (self.records + 1, str(flaw))
                return
            self.accept(record, found, key)
            if visit:
                visit(self, record)

    def check(self, record, found):
        if record["instance"] != self.instance:
            raise Flaw("of another chain than the file's name says")
        if self.last:
            follow(self.last, (record["seq"], record["prev"]))
        else:
            if self.part == 1:
                follow((0, "0" * 64), (record["seq"], record["prev"]))
            time = record["time"] if isinstance(record.get("time"), str) else ""
            time = time.split(".")[0].replace("-", "").replace(":", "") + "Z"
            if record["event"] != "start" or record.get("part", 1) != self.part or time != self.time:
                raise Flaw("not the `start` of this file")
        if self.end:
            raise Flaw("a record after `stop` or `rotate`")
        if (self.copy or {}).get(record["seq"], found) != found:
            raise Flaw("not the record that was copied")

    def accept(self, record, found, key):
        self.records, seq, event = self.records + 1, record["seq"], record["event"]
        self.first, self.last = self.first or (seq, record["prev"]), (seq, found)
        self.end = event if event in ("stop", "rotate") else None
        if key if self.copy is None else seq in self.copy:
            self.proved = self.records
        self.copied.update({seq} & (self.copy or {}).keys())
        if event == "intent":
            self.open.add(seq)
        if event == "result" and count(record, "intent") is not None:
            self.closed += [record["intent"]] if record["intent"] not in self.open else []
            self.open.discard(record["intent"])

    def judge(self, place, before, after):
        """The verdict, given the file before it in its chain, and all those after it."""
        flaw = self.flaw
        try:
            if self.part != place:
                raise Flaw(f"file {place} of the chain is missing, or one is there twice")
            if before and before.last and self.first:
                follow(before.last, self.first)
            if before and before.end != "rotate":
                raise Flaw("the file before does not end in `rotate`")
        except Flaw as broken:
            flaw = (1, str(broken))
        if flaw:
            return 1, f"at line {flaw[0]}: {flaw[1]}"
        if self.torn or not self.records:
            return 2, f"records {self.records}, the last line is torn"
        # What a later file proves, it proves of this one too.
        unproved = 0 if any(file.proved for file in after) else self.records - self.proved
        if not unproved and (self.end == "stop" or (self.end == "rotate" and after)):
            return 0, f"records {self.records}"
        return 2, f"records {self.records}, {unproved} after the last {'copied ' if self.copy is not None else ''}checkpoint"


def follow(before, after):
    if after[0] != before[0] + 1:
        raise Flaw(f"`seq` is {after[0]}, not {before[0] + 1}")
    if after[1] != before[1]:
        raise Flaw("wrong `prev`")


def read_copy(path, keys):
    """instance -> seq -> hash of the copied records; which are there twice; how many lines are none."""
    chains, disputed, unfit = {}, set(), 0
    with open(path, "rb") as file:
        while line := file.readline(MAX_LINE):
            if line == b"\n":  # written after half a line
                continue
            try:
                record, found, key = read_line(line[:-1]) if line[-1:] == b"\n" else (None,) * 3
            except Flaw:
                key = None
            if not key:
                unfit += 1
            elif not keys or key in keys:
                # The first stays: who can only append must not replace what was copied.
                if chains.setdefault(record["instance"], {}).setdefault(record["seq"], found) != found:
                    disputed.add((record["instance"], record["seq"]))
    if not chains:
        raise OSError("the copy holds no checkpoint of this log")
    return chains, disputed, unfit


def verify(folder, keys, checkpoints=None, visit=None):
    """Prints what is found in `folder` and gives its verdict. `visit` is shown each good record."""
    print(f"audit folder {folder}")
    copy, disputed, unfit, verdicts = None, set(), 0, set()
    try:
        if checkpoints:
            copy, disputed, unfit = read_copy(checkpoints, keys)
    except OSError as error:
        verdicts.add(3)
        print(f"the copy of the checkpoints: UNREADABLE: {error}")
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".jsonl"))
    except OSError as error:
        print(f"UNREADABLE: {error}")
        return 3
    keys = list(keys)
    for name in names:
        if not name_of(name):
            print(f"{name!a}: left out, not the name of a file of a log")
    files = [File(folder, name, keys, copy, visit) for name in names if name_of(name)]
    chains = {}
    for file in sorted(files, key=lambda file: file.part):
        chains.setdefault(file.instance, []).append(file)
    for chain in chains.values():
        for place, file in enumerate(chain):
            before = chain[place - 1] if place and not chain[place - 1].error else None
            # What cannot be read keeps its place in the chain: it is not missing.
            file.verdict = file.verdict or file.judge(place + 1, before, chain[place + 1:])
            for earlier in chain[:place]:
                earlier.open.difference_update(file.closed)
    for file in files:
        verdicts.add(file.verdict[0])
        print(f"{file.name!a}: {WORDS[file.verdict[0]]}, {file.verdict[1]}")
        for seq in sorted(file.open):
            print(f"  unknown outcome of {seq}")
    for instance, seq in sorted(disputed):
        verdicts.add(1)
        print(f"TAMPERED: the copy has two different records {seq} of {instance}")
    for instance, seqs in (copy or {}).items():
        chain = [file for file in files if file.instance == instance]
        here = set().union(*(file.copied for file in chain))
        # What an unreadable file may hold is not said to be missing.
        for seq in sorted(seqs.keys() - here) if not any(file.error for file in chain) else []:
            verdicts.add(1)
            print(f"TAMPERED: checkpoint {seq} of {instance} was copied and is not in the log. Of a log that is "
                  "written copy the checkpoints first, the folder after them")
    verdicts |= {2} if not files or unfit else {0}
    for key in keys:
        print(f"key {base64.urlsafe_b64encode(key).rstrip(b'=').decode()}")
    verdict = next(code for code in (1, 3, 2, 0) if code in verdicts)
    print(f"{WORDS[verdict]}: files {len(files)}, records {sum(file.records for file in files)}, "
          f"unknown outcomes {sum(len(file.open) for file in files)}")
    return verdict


def public_key(given):
    key = unbase64(given, 32)
    if not key:
        with open(given, encoding="ascii") as file:
            key = unbase64(file.read(4096).strip(), 32)
    if not key or not is_key(key):
        raise ValueError(f"no public key in {given}")
    return key


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", metavar="DIR", nargs="+")
    parser.add_argument("--key", action="append", default=[], metavar="FILE|BASE64URL")
    parser.add_argument("--checkpoints", metavar="FILE")
    given = parser.parse_args(joined(sys.argv[1:]))
    try:
        keys = [public_key(key) for key in given.key]
    except (OSError, ValueError) as error:
        print(f"--key: {error}", file=sys.stderr)
        return 3
    found = {verify(folder, keys, given.checkpoints) for folder in given.folders}
    return next(code for code in (1, 3, 2, 0) if code in found)


if __name__ == "__main__":
    sys.exit(main())
