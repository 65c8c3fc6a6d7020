"""Live candles as server-sent events, the day so far first, and the day anew after a lost connection. Python's own library
is enough:

    python3 docs/examples/candles.py 1m NSE:INFY 256265
"""
import http.client
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from sse_ticks import events, ticket

if __name__ == "__main__":
    env = json.load(open(".dev/env.json"))
    interval, *wanted = sys.argv[1:] or ["1m"]
    query = urllib.parse.urlencode(
        {"interval": interval, "instruments": ",".join(wanted or ["NSE:NIFTY 50", "NSE:INFY"])}
    )
    day = {}  # (token, beginning) to candle: what a strategy would look at
    while True:
        try:
            bearer, url = ticket(env)
            for _, message in events(f"{url}?{query}", bearer, ""):
                if message["op"] == "candle_snapshot":
                    token = message["instrument_token"]
                    day = {key: candle for key, candle in day.items() if key[0] != token}
                for candle in message.get("candles", []):
                    day[candle["instrument_token"], candle["time"]] = candle
                    print(*candle.values(), flush=True)
                if message["op"] in ("candles_subscribed", "state", "error", "close"):
                    print(message, flush=True)
        except urllib.error.HTTPError as refusal:
            if refusal.code in (400, 403):
                sys.exit(refusal.read().decode())
            print(refusal, flush=True)
        except (OSError, http.client.HTTPException) as lost:
            print("lost:", lost, flush=True)
        time.sleep(2)
