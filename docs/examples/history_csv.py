"""Downloads candles of the past as lines of JSON and writes them as CSV. Python's own library is enough:

    python3 docs/examples/history_csv.py NSE:TCS 1m 2025-11-24 2026-11-20 tcs.csv

What is not kept yet is fetched from the broker meanwhile: the service says when to ask again. The file is there when all of
it is: a download that was cut short is done again.
"""
import csv
import http.client
import io
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

COLUMNS = ["time", "open", "high", "low", "close", "volume", "oi"]
LOST_MAX = 5


def download(url, key, path):
    """Writes all candles to the path and returns how many; raises when it was cut short or refused."""
    request = urllib.request.Request(
        url, headers={"Authorization": "Bearer " + key, "Accept": "application/x-ndjson"}
    )
    count = 0
    with urllib.request.urlopen(request, timeout=60) as answer, open(path, "w", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        rows.writeheader()
        # By the answer's own lines an end that comes too early would look like the end.
        for line in io.BufferedReader(answer):
            rows.writerow(json.loads(line))
            count += 1
    return count


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit("history_csv.py INSTRUMENT INTERVAL FROM TO FILE")
    instrument, interval, first, last, path = sys.argv[1:]
    env = json.load(open(".dev/env.json"))
    query = urllib.parse.urlencode({"interval": interval, "from": first, "to": last})
    url = f"{env['controlPlaneUrl']}/v1/history/{urllib.parse.quote(instrument, safe='')}?{query}"
    lost = 0
    while True:
        try:
            count = download(url, env["apiKey"], path + ".part")
            break
        except urllib.error.HTTPError as refusal:
            problem = json.load(refusal)
            if problem["code"] not in ("history_loading", "data_plane_unreachable"):
                sys.exit(f"{problem['code']}: {problem['title']} {problem.get('detail') or ''}")
            print(problem.get("detail") or problem["title"], flush=True)
            time.sleep(int(refusal.headers.get("Retry-After", 2)))
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as cut:
            lost += 1
            if lost > LOST_MAX:
                sys.exit(f"given up: {cut}")
            print("cut short:", cut, flush=True)
            time.sleep(2)
    os.replace(path + ".part", path)
    print(count, "candles in", path)
