"""What happens to your orders, as server-sent events, over lost connections too. Python's own library is enough:

    python3 docs/examples/order_events.py demo
    python3 docs/examples/order_events.py demo --after demo:0

The id of each event is the whole cursor: a strategy would keep it with what it makes of the event.
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
    return made["ticket"], made["stream_url"].replace("ws", "http", 1) + "/orders"


def events(url, bearer, cursor):
    """Yields (id or None, message) of each event. Heartbeats come every 5 s, so 15 s of silence is a dead connection."""
    headers = {"Authorization": "Bearer " + bearer, "Last-Event-ID": cursor}
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
    words = sys.argv[1:]
    cursor = words.pop(words.index("--after") + 1) if "--after" in words else ""
    accounts = [word for word in words if not word.startswith("--")]
    query = "?" + urllib.parse.urlencode({"accounts": ",".join(accounts)}) if accounts else ""
    while True:
        try:
            bearer, url = ticket(env)
            for event_id, message in events(url + query, bearer, cursor):
                if message["op"] == "order_event":
                    order = message["broker_order"] or {}
                    print(
                        *(message[name] for name in ("account_id", "seq", "kind", "intent_id", "state")),
                        *(order.get(name) for name in ("status", "filled_quantity")),
                        flush=True,
                    )
                elif message["op"] not in ("welcome", "heartbeat"):
                    print(message, flush=True)
                cursor = event_id or cursor
        except urllib.error.HTTPError as refusal:
            if refusal.code in (400, 403):
                sys.exit(refusal.read().decode())
            print(refusal, flush=True)
        except (OSError, http.client.HTTPException) as lost:
            print("lost:", lost, flush=True)
        time.sleep(2)
