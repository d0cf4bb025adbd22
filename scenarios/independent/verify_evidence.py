#!/usr/bin/env python3
"""Checks evidence bundles of Liên Thông without any code of Liên Thông.

Written from the specification in formats/evidence/README.md alone, so that one mistake in one program cannot
vouch for itself. Needs Python 3.11 and `cryptography` (Debian: python3-cryptography); opens no connection.

    verify_evidence.py FILE...             one verdict for each file
    verify_evidence.py --key KEY FILE...   the log must have this key
    verify_evidence.py --batch             bundles from standard input, one base64 line each

Exit code 0 when every bundle holds, 1 when one is refused, 2 when nothing could be checked.
"""

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import re
import sys

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    print("verify_evidence.py needs the package python3-cryptography", file=sys.stderr)
    sys.exit(2)

BIGGEST = 2**53 - 1
DIGESTS = {
    "request_body_sha512": 128,
    "request_head_sha512": 128,
    "response_body_sha256": 64,
    "response_head_sha256": 64,
}
FIELDS_OPENED = {"issue", "path", "query", "represented_party", "request_head_sha512", "user_id"}
FIELDS_CLOSED = FIELDS_OPENED | set(DIGESTS)
OUTCOMES = {
    "answered", "refused", "upstream_failed", "upstream_incomplete",
    "consumer_gone", "request_incomplete", "stopped", "gateway_failed",
}
REASONS = {"first", "restored", "shorter", "inconsistent", "unreadable"}
SAME_IN_BOTH = (
    "agreement", "client", "consumer_auth", "endpoint", "environment", "message_id",
    "method", "request_id", "request_in", "service", "snapshot",
)


class Refused(Exception):
    """The bundle proves nothing; the text says why."""


def need(condition, why):
    if not condition:
        raise Refused(why)


# --- section 1: canonical JSON ---------------------------------------------------------------------------------


def spell(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("utf-8")


def no_fraction(_text):
    raise Refused("a number that is not an integer")


def read_canonical(data):
    try:
        value = json.loads(data.decode("utf-8"), parse_float=no_fraction, parse_constant=no_fraction)
        walk(value, 8)
        again = spell(value)
    except (ValueError, RecursionError) as error:
        raise Refused(f"not canonical JSON: {error}") from None
    # A doubled name, white space, another escape, another order: all of them come back differently.
    need(again == data, "not canonical JSON: another spelling is due")
    return value


def walk(value, depth):
    need(depth > 0, "too deeply nested")
    if type(value) is dict:
        for name, member in value.items():
            need(re.fullmatch(r"[a-z0-9_]{1,64}", name), "a name that is not allowed")
            walk(member, depth - 1)
    elif type(value) is list:
        for member in value:
            walk(member, depth - 1)
    elif type(value) is int:
        need(abs(value) <= BIGGEST, "an integer that is too large")
    else:
        need(type(value) is str, "a value that is neither object, array, string nor integer")


# --- small types -------------------------------------------------------------------------------------------------


def members(value, required, optional, where):
    need(type(value) is dict, f"{where} is not an object")
    missing = set(required) - set(value)
    extra = set(value) - set(required) - set(optional)
    need(not missing, f"{where} lacks {', '.join(sorted(missing))}")
    need(not extra, f"{where} has unknown members")


def is_count(value):
    return type(value) is int and 0 <= value <= BIGGEST


def is_text(value):
    return (
        type(value) is str
        and 1 <= len(value.encode("utf-8")) <= 1024
        and not any(ord(c) < 0x20 or ord(c) == 0x7F for c in value)
    )


def is_hex(value, digits):
    return type(value) is str and re.fullmatch(r"[0-9a-f]{%d}" % digits, value) is not None


def unbase64(text):
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("malformed base64") from None
    need(base64.b64encode(raw).decode("ascii") == text, "base64 in another spelling")
    return raw


# --- section 2: hashes, keys, checkpoints ----------------------------------------------------------------------------


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(entry):
    return sha256(b"\x00", entry)


def root_from_proof(leaf, index, size, proof):
    """Climbs from a leaf to the root: at each level, either a sibling comes from the proof or, at the ragged right
    edge, the node moves up as it is."""
    siblings = list(proof)
    node, position, last = leaf, index, size - 1
    while last > 0:
        if position % 2 == 1 or position < last:
            need(siblings, "the proof is too short")
            sibling = siblings.pop(0)
            node = sha256(b"\x01", sibling, node) if position % 2 else sha256(b"\x01", node, sibling)
        position, last = position // 2, last // 2
    need(not siblings, "the proof is too long")
    return node


def is_log_name(name):
    return type(name) is str and re.fullmatch(r"[!-*,-~]{1,256}", name) is not None


def read_key(text):
    need(type(text) is str, "the log key is not a string")
    parts = text.split("+", 2)
    need(len(parts) == 3 and is_log_name(parts[0]), "a malformed log key")
    raw = unbase64(parts[2])
    need(len(raw) == 33 and raw[0] == 1, "the log key is not an Ed25519 key")
    identifier = sha256(parts[0].encode("ascii"), b"\n", raw)[:4]
    need(parts[1] == identifier.hex(), "the identifier of the log key is wrong")
    return parts[0], identifier, raw[1:]


CHECKPOINT = re.compile(
    r"(?P<text>(?P<origin>[!-*,-~]+)\n(?P<size>0|[1-9][0-9]*)\n(?P<root>[A-Za-z0-9+/=]+)\n)"
    r"\n\u2014 (?P<signer>[!-*,-~]+) (?P<signature>[A-Za-z0-9+/=]+)\n"
)


def open_checkpoint(note, key_text):
    name, identifier, public = read_key(key_text)
    need(type(note) is str and len(note.encode("utf-8")) <= 4096, "a malformed checkpoint")
    match = CHECKPOINT.fullmatch(note)
    need(match, "a malformed checkpoint")
    need(match["origin"] == name and match["signer"] == name, "a checkpoint of another log")
    blob = unbase64(match["signature"])
    need(len(blob) == 68 and blob[:4] == identifier, "a checkpoint signed by another key")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(blob[4:], match["text"].encode("ascii"))
    except (InvalidSignature, ValueError):
        raise Refused("the signature of the checkpoint is wrong") from None
    size, root = int(match["size"]), unbase64(match["root"])
    need(size <= BIGGEST and len(root) == 32, "a malformed checkpoint")
    return name, size, root


# --- section 3: records ----------------------------------------------------------------------------------------------

TEXTS = ("client", "consumer_auth", "message_id", "method", "request_id", "service")
COUNTS = ("recorded", "request_in", "snapshot")
ALWAYS = ("v", "kind")


def check_record(record):
    need(type(record) is dict and len(spell(record)) <= 16384, "a record is no object or too long")
    version = 2 if "environment" in record or "filter" in record else 1
    need(type(record.get("v")) is int and record["v"] == version, "a record of an unknown version")
    kind = record.get("kind")
    if kind == "origin":
        check_origin(record)
    elif kind == "opened":
        members(record, (*ALWAYS, *TEXTS, *COUNTS, "commitments"), ("agreement", "endpoint", "environment"), "the opened record")
        check_call(record, FIELDS_OPENED)
    elif kind == "closed":
        members(
            record,
            (*ALWAYS, *TEXTS, *COUNTS, "commitments", "outcome", "request"),
            ("agreement", "endpoint", "environment", "fault", "filter", "opened", "request_out", "response", "response_in"),
            "the closed record",
        )
        check_call(record, FIELDS_CLOSED)
        check_closed(record)
    else:
        raise Refused("a record of unknown kind")


def check_call(record, fields):
    for name in TEXTS:
        need(is_text(record[name]), f"{name} is not a text")
    for name in COUNTS:
        need(is_count(record[name]), f"{name} is not a count")
    need("endpoint" not in record or is_text(record["endpoint"]), "endpoint is not a text")
    need(record.get("environment", "test") in ("sandbox", "test"), "an unknown environment")
    if "agreement" in record:
        members(record["agreement"], ("id", "version"), (), "agreement")
        need(is_text(record["agreement"]["id"]) and is_count(record["agreement"]["version"]), "agreement is wrong")
    members(record["commitments"], (), fields, "commitments")
    for value in record["commitments"].values():
        need(is_hex(value, 64), "a commitment is not a hash")


def check_closed(record):
    need("fault" not in record or is_text(record["fault"]), "fault is not a text")
    need("opened" not in record or is_hex(record["opened"], 64), "opened is not a hash")
    need(type(record["outcome"]) is str and record["outcome"] in OUTCOMES, "an unknown outcome")
    for name in ("request_out", "response_in"):
        need(name not in record or is_count(record[name]), f"{name} is not a time")
    request = record["request"]
    members(request, ("body", "size"), (), "request")
    need(request["body"] in ("none", "complete", "partial") and is_count(request["size"]), "request is wrong")
    if request["body"] == "none":
        need(request["size"] == 0, "a body of no request has a size")
        need("request_body_sha512" not in record["commitments"], "a body of no request has a digest")
    if "filter" in record:
        members(record["filter"], ("fields", "removed"), (), "filter")
        need(is_hex(record["filter"]["fields"], 64), "the fields of the filter are not a hash")
        need(is_count(record["filter"]["removed"]), "the filter has no count")
    if "response" in record:
        response = record["response"]
        members(response, ("size", "status"), (), "response")
        need(is_count(response["size"]), "the size of the answer is wrong")
        need(type(response["status"]) is int and 100 <= response["status"] <= 999, "the status is wrong")
    else:
        need(record["outcome"] != "answered", "answered without an answer")


def check_origin(record):
    members(record, (*ALWAYS, "origin", "reason", "recorded"), ("previous",), "the origin record")
    need(is_log_name(record["origin"]), "a malformed name of a log")
    need(type(record["reason"]) is str and record["reason"] in REASONS, "an unknown reason")
    need(is_count(record["recorded"]), "recorded is not a time")
    if "previous" in record:
        previous = record["previous"]
        members(previous, ("checkpoint", "log"), (), "previous")
        name, _, _ = open_checkpoint(previous["checkpoint"], previous["log"])
        need(record["reason"] != "first" and name != record["origin"], "the log before does not fit")


# --- sections 4 and 5: the bundle and its verification ---------------------------------------------------------------


def check_bundle(data, trusted=None):
    """Returns the verified bundle, or raises Refused."""
    need(len(data) <= 1048576, "the file is too large")
    bundle = read_canonical(data)
    members(bundle, ("checkpoint", "disclosures", "entries", "format", "log"), (), "the bundle")
    need(bundle["format"] == "lienthong-evidence/1", "an unknown format")
    need(trusted is None or bundle["log"] == trusted, "the log is not the trusted one")
    name, size, root = open_checkpoint(bundle["checkpoint"], bundle["log"])
    need(type(bundle["entries"]) is list and type(bundle["disclosures"]) is list, "a list is due")
    for entry in bundle["entries"]:
        check_entry(entry, size, root)
    check_shape(bundle["entries"], name)
    check_disclosures(bundle["disclosures"], bundle["entries"])
    return bundle


def check_entry(entry, size, root):
    members(entry, ("index", "leaf", "proof"), (), "an entry")
    index, proof = entry["index"], entry["proof"]
    need(is_count(index) and index < size, "an index outside the log")
    need(type(proof) is list and len(proof) <= 64 and all(is_hex(h, 64) for h in proof), "a malformed proof")
    check_record(entry["leaf"])
    siblings = [bytes.fromhex(h) for h in proof]
    found = root_from_proof(leaf_hash(spell(entry["leaf"])), index, size, siblings)
    need(found == root, "the record is not in the log")


def check_shape(entries, name):
    kinds = [entry["leaf"]["kind"] for entry in entries]
    first = entries[0]["leaf"] if entries else {}
    if kinds == ["opened"]:
        return
    if kinds == ["closed"]:
        need("opened" not in first, "the opened record is missing")
    elif kinds == ["opened", "closed"]:
        second = entries[1]["leaf"]
        need(entries[0]["index"] < entries[1]["index"], "the records are in the wrong order")
        need(second.get("opened") == leaf_hash(spell(first)).hex(), "the records do not belong together")
        need(all(first.get(m) == second.get(m) for m in SAME_IN_BOTH), "the records contradict each other")
    elif kinds == ["origin"]:
        need(entries[0]["index"] == 0 and first["origin"] == name, "not the first record of this log")
    else:
        raise Refused("records in a number or order that no bundle has")


def check_disclosures(disclosures, entries):
    places, values = [], {}
    for disclosure in disclosures:
        members(disclosure, ("entry", "field", "salt", "value"), (), "a disclosure")
        entry, field, value = disclosure["entry"], disclosure["field"], disclosure["value"]
        need(is_count(entry) and entry < len(entries), "a disclosure of no record")
        need(type(field) is str and field in FIELDS_CLOSED, "a disclosure of no field")
        need(is_hex(disclosure["salt"], 64) and type(value) is str, "a malformed disclosure")
        record = entries[entry]["leaf"]
        message = "\0".join(("lienthong.evidence.commitment.v1", record["kind"], field, value)).encode("utf-8")
        opened = hmac.new(bytes.fromhex(disclosure["salt"]), message, hashlib.sha256).hexdigest()
        need(record.get("commitments", {}).get(field) == opened, "a value that was not committed to")
        need(field not in DIGESTS or is_hex(value, DIGESTS[field]), "a digest of the wrong form")
        need(values.setdefault(field, value) == value, "two values of one field")
        places.append((entry, field))
    need(all(a < b for a, b in zip(places, places[1:])), "disclosures out of order")


# --- the command -----------------------------------------------------------------------------------------------------


def verdict(data, trusted):
    """One line for people; true when the bundle holds."""
    try:
        bundle = check_bundle(data, trusted)
    except Refused as refused:
        return False, f"REFUSED: {refused}"
    kinds = [entry["leaf"]["kind"] for entry in bundle["entries"]]
    last = bundle["entries"][-1]["leaf"]
    if kinds == ["origin"]:
        what = f"log {last['origin']} begins ({last['reason']})"
    elif kinds == ["opened"]:
        what = f"call {last['request_id']}: outcome unknown"
    else:
        what = f"call {last['request_id']}: {last['outcome']}"
    known = "" if trusted else "; the key of the log is only stated by the bundle itself"
    return True, f"VALID: {what}{known}"


def main():
    parser = argparse.ArgumentParser(description="Checks evidence bundles of Liên Thông, offline.")
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--key", help="key of the log, known from elsewhere")
    parser.add_argument("--batch", action="store_true", help="bundles from standard input, one base64 line each")
    options = parser.parse_args()
    if options.batch == bool(options.files):
        parser.error("name files, or use --batch")
    good = True
    for name, data in batch() if options.batch else read(options.files):
        holds, line = verdict(data, options.key)
        good = good and holds
        print(line if options.batch or len(options.files) == 1 else f"{name}: {line}")
    sys.exit(0 if good else 1)


def read(names):
    for name in names:
        try:
            with open(name, "rb") as file:
                yield name, file.read(1048577)
        except OSError as error:
            print(f"{name}: {error.strerror}", file=sys.stderr)
            sys.exit(2)


def batch():
    for line in sys.stdin.buffer:
        yield "", base64.b64decode(line.strip(), validate=True)


if __name__ == "__main__":
    main()
