#!/usr/bin/env python3
"""Recomputes the figures of a monthly report of Liên Thông without any code of Liên Thông.

From the exported list of calls (CSV) and from the evidence bundle of each call, and compares both with the report as
exported (CSV). Needs what verify_evidence.py needs; opens no connection.

    recompute_figures.py CALLS.csv REPORT.csv BUNDLES/

Exit code 0 when everything agrees, 1 when something does not, 2 when nothing could be compared.
"""

import csv
import pathlib
import sys

import verify_evidence

PROVIDER = {"service-disabled"}
OURS = {"snapshot-stale", "too-many-calls", "openapi-missing"}
# A percentile of the report may differ from the true one by this much, and the list rounds down to milliseconds.
ERROR = 0.091


def side(outcome, status, fault):
    rule = fault.partition("/")[2]
    if outcome == "answered":
        return "provider" if status >= 500 else "ok"
    if outcome == "refused":
        return "provider" if rule in PROVIDER else "ours" if rule in OURS else "consumer"
    if outcome in ("upstream_failed", "upstream_incomplete"):
        return "provider"
    if outcome in ("gateway_failed", "unknown"):
        return "ours"
    return "consumer"


def rows(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def from_list(calls):
    # The list tells endings apart more coarsely; what it calls "Lỗi" the reason tells.
    outcomes = {"Đã trả lời": "answered", "Bị từ chối": "refused", "Bên gọi ngắt": "consumer_gone"}
    found = {}
    for call in calls:
        outcome = outcomes.get(call["Kết quả"], "unknown")
        if call["Kết quả"] == "Lỗi":
            outcome = "upstream_failed" if "/provider-" in call["Lý do"] else "gateway_failed"
        status = int(call["Mã HTTP"] or 0)
        found[call["Số lượt gọi"]] = (side(outcome, status, call["Lý do"]), call["Mã dịch vụ"])
    return found


def from_bundles(folder):
    found = {}
    for path in sorted(pathlib.Path(folder).iterdir()):
        bundle = verify_evidence.check_bundle(path.read_bytes())
        leaf = bundle["entries"][-1]["leaf"]
        status = (leaf.get("response") or {}).get("status", 0)
        found[leaf["request_id"]] = (side(leaf.get("outcome", "unknown"), status, leaf.get("fault") or ""), leaf["service"])
    return found


def percentile(times, percent):
    times = sorted(times)
    return times[max(0, -(-len(times) * percent // 100) - 1)]


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    calls, report = rows(sys.argv[1]), rows(sys.argv[2])
    listed, proven = from_list(calls), from_bundles(sys.argv[3])
    if not calls or not report:
        print("nothing to compare", file=sys.stderr)
        sys.exit(2)
    faults = []
    if listed != proven:
        odd = {k for k in listed.keys() | proven.keys() if listed.get(k) != proven.get(k)}
        faults.append(f"the list and the evidence differ: {sorted(odd)}")
    told = {(row["Phần"], row["Chỉ tiêu"]): row["Giá trị"] for row in report}
    count = lambda wanted: sum(1 for s, _ in listed.values() if s == wanted)
    expected = {
        "Lượt giao dịch": len(listed),
        "Trả lời tốt": count("ok"),
        "Do bên khai thác": count("consumer"),
        "Do bên cung cấp": count("provider"),
        "Do nền tảng": count("ours"),
    }
    for name, value in expected.items():
        if told.get(("Chung", name)) != str(value):
            faults.append(f"{name}: the report says {told.get(('Chung', name))}, recomputed {value}")
    # Only what reached the provider has a response time.
    times = [int(c["Thời gian xử lý (ms)"]) for c in calls if c["Chuyển tới bên cung cấp lúc"]]
    for name, percent in (("50 % số lượt (ms)", 50), ("95 % số lượt xong trong (ms)", 95)):
        if times:
            true = percentile(times, percent)
            said = float(told[("Chung", name)].replace(".", "").replace(",", "."))
            if not (1 - ERROR) * true - 1 <= said <= (1 + ERROR) * (true + 1) + 0.1:
                faults.append(f"{name}: the report says {said}, recomputed {true}")
    for fault in faults:
        print(fault)
    if not faults:
        print(f"{len(listed)} calls, {len(proven)} bundles, {len(times)} times: the report agrees")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
