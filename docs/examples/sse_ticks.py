"""Watches instruments as server-sent events, and misses none over a lost connection. Python's own library is enough:

    python3 docs/examples/sse_ticks.py NSE:INFY 256265
"""
import http.client
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


def ticket(env):
    """A day's ticket and the address to stream from."""
    request = urllib.request.Request(
        env["controlPlaneUrl"] + "/v1/stream-tickets",
        method="POST",
        headers={"Authorization": "Bearer " + env["apiKey"]},
    )
    with urllib.request.urlopen(request) as answer:
        made = json.load(answer)
    return made["ticket"], made["stream_url"].replace("ws", "http", 1) + "/sse"


def events(url, bearer, last_id):
    """Yields (id or None, message) of each event. Heartbeats come every 5 s, so 15 s of silence is a dead connection."""
    headers = {"Authorization": "Bearer " + bearer, "Last-Event-ID": last_id}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=15) as lines:
        fields = {}
        for line in lines:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            else:
                if "data" in fields:
                    yield fields.get("id"), json.loads(fields["data"])
                fields = {}


if __name__ == "__main__":
    env = json.load(open(".dev/env.json"))
    wanted = sys.argv[1:] or ["NSE:NIFTY 50", "NSE:INFY"]
    query = urllib.parse.urlencode({"instruments": ",".join(wanted), "mode": "quote"})
    last_id = ""
    while True:
        try:
            bearer, url = ticket(env)
            for event_id, message in events(f"{url}?{query}", bearer, last_id):
                for tick in message.get("ticks", []):
                    print(message["op"], tick["seq"], tick["instrument_token"], tick["last_price"], flush=True)
                if message["op"] in ("gap", "state", "close"):
                    print(message, flush=True)
                last_id = event_id or last_id
        except urllib.error.HTTPError as refusal:
            if refusal.code in (400, 403):
                sys.exit(refusal.read().decode())
            print(refusal, flush=True)
        except (OSError, http.client.HTTPException) as lost:
            print("lost:", lost, flush=True)
        time.sleep(2)
