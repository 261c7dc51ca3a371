"""Known weaknesses of the pinned packages, from what pip-audit found: `make audit`."""

import json
import sys

found = json.load(sys.stdin)["dependencies"]
weak = [(p["name"], p["version"], v["id"]) for p in found for v in p.get("vulns", [])]
unknown = [p["name"] for p in found if "skip_reason" in p]
for line in weak:
    print(*line)
print(
    f"{len(found) - len(unknown)} of {len(found)} packages looked up, {len(weak)} weaknesses known"
)
if len(unknown) == len(found):
    sys.exit("Nothing was looked up: no service that lists weaknesses answers here.")
if unknown:
    print(f"not looked up, as the service does not know them: {' '.join(unknown)}")
sys.exit(bool(weak))
