"""The official KiteTicker, unmodified, against this service.

    pip install kiteconnect && python docs/examples/kite_ticker.py

Two things differ from a strategy that talks to the broker: the root, and the credentials.
"""
import json

from kiteconnect import KiteTicker

env = json.load(open(".dev/env.json"))
ticker = KiteTicker(env["kiteApiKey"], env["kiteAccessToken"], root=env["kiteSocketUrl"])


def on_connect(ws, response):
    ws.subscribe([256265, 408065])
    ws.set_mode(ws.MODE_FULL, [256265, 408065])


def on_ticks(ws, ticks):
    for tick in ticks:
        print(tick["instrument_token"], tick["mode"], tick["last_price"])


ticker.on_connect = on_connect
ticker.on_ticks = on_ticks
ticker.on_order_update = lambda ws, order: print("order", order["order_id"], order["status"], order["tag"])
ticker.connect()
