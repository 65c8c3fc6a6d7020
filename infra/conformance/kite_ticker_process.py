"""The official Python KiteTicker, unmodified, in a process of its own.

argv: root, api_key, access_token, mode, comma-separated tokens. Prints one JSON line per event.
"""
import json
import sys

from kiteconnect import KiteTicker

root, api_key, access_token, mode, tokens = sys.argv[1:]
wanted = [int(token) for token in tokens.split(",")]


def say(**event):
    print(json.dumps(event), flush=True)


def on_connect(ws, response):
    ws.subscribe(wanted)
    ws.set_mode(mode, wanted)


def on_ticks(ws, ticks):
    for tick in ticks:
        say(
            kind="tick",
            instrument_token=tick["instrument_token"],
            mode=tick["mode"],
            last_price=tick["last_price"],
        )


ticker = KiteTicker(api_key, access_token, root=root)
ticker.on_connect = on_connect
ticker.on_ticks = on_ticks
ticker.on_order_update = lambda ws, order: say(kind="order", status=order["status"], tag=order["tag"])
ticker.on_error = lambda ws, code, reason: say(kind="error", message=f"{code} {reason}")
ticker.on_reconnect = lambda ws, attempts: say(kind="error", message=f"reconnect {attempts}")
ticker.connect()
