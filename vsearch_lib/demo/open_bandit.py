"""Open Bandit's logs of a fashion shop (Saito et al., 2021) as landed interactions, for tests with real clicks.

    python -m vsearch_lib.demo.open_bandit CSV OUT

Every row was displayed: it becomes an impression, and also a click if it was clicked. The shop's log differs from a
log of searches, so:

- the shop has no query picture: `query_image_id` is the page, `<campaign>:front-page`;
- `displayed_image_id` is `<campaign>:item-<item_id>`;
- users are known only by hashed features: the hash of all of them is `user_id`, and a user's rows of one second are a
  request;
- the policy that chose an item (`random` or `bts`) is the `variant`; its propensity is dropped: ours depends on the
  position and is estimated from the log.
"""

import csv
import hashlib
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

_USER = ("user_feature_0", "user_feature_1", "user_feature_2", "user_feature_3")


def events(file: Path, campaign: str, variant: str) -> Iterator[dict[str, object]]:
    """Yield the landed rows of one file of the data set, in the order of the file."""
    with file.open(newline="") as text:
        for number, row in enumerate(csv.DictReader(text)):
            moment = datetime.fromisoformat(row["timestamp"])
            user = hashlib.sha256("".join(row[name] for name in _USER).encode()).hexdigest()[:16]
            event = {
                "user_id": user,
                "query_image_id": f"{campaign}:front-page",
                "displayed_image_id": f"{campaign}:item-{row['item_id']}",
                "position": int(row["position"]),
                "occurred_at": moment.isoformat(),
                "request_id": f"{user}:{moment:%Y%m%dT%H%M%S}",
                "variant": variant,
            }
            yield {**event, "event_id": f"{campaign}:{variant}:{number}", "type": "impression"}
            if row["click"] == "1":
                yield {**event, "event_id": f"{campaign}:{variant}:{number}:click", "type": "click"}


def convert(file: Path, out: Path) -> int:
    """Write a file such as `random-men/men.csv` as `<out>/interactions/date=…/<folder>.jsonl`; return their number."""
    variant, _, campaign = file.parent.name.partition("-")
    by_day: dict[str, list[str]] = {}
    for event in events(file, campaign, variant):
        by_day.setdefault(str(event["occurred_at"])[:10], []).append(json.dumps(event))
    for day, lines in by_day.items():
        folder = out / "interactions" / f"date={day}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{file.parent.name}.jsonl").write_text("\n".join(lines) + "\n")
    return sum(len(lines) for lines in by_day.values())


if __name__ == "__main__":
    print(f"{convert(Path(sys.argv[1]), Path(sys.argv[2]))} events")
