"""The official Python KiteConnect, unmodified, through a whole order life and what it can read.

argv: root, api_key, access_token. Prints one JSON line; exits 1 with a traceback at the first thing that is not as it should be.
"""
import datetime
import json
import sys
import time

from kiteconnect import KiteConnect, __version__
from kiteconnect.exceptions import InputException, NetworkException, TokenException

root, api_key, access_token = sys.argv[1:]
kite = KiteConnect(api_key=api_key, access_token=access_token, root=root)
INFY = 408065


def until(what, condition):
    """Asks again, also where it was too much; in the broker's own pace."""
    for _ in range(100):
        try:
            if condition():
                return
        except NetworkException as refusal:
            if refusal.code != 429:
                raise
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within 20 s")


def found(order_id):
    return next(order for order in kite.orders() if order["order_id"] == order_id)


def refuses(kind, ask):
    try:
        ask()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")


order = dict(exchange="NSE", tradingsymbol="INFY", transaction_type="BUY", product="CNC", order_type="LIMIT")
order_id = kite.place_order("regular", quantity=1, price=1160, validity="DAY", tag="python", **order)
until("it is open", lambda: found(order_id)["status"] == "OPEN")
assert isinstance(found(order_id)["order_timestamp"], datetime.datetime)
assert found(order_id)["tags"] == ["python"]
assert kite.modify_order("regular", order_id, price=1161, quantity=1) == order_id
until("it is modified", lambda: found(order_id)["price"] == 1161)
assert kite.cancel_order("regular", order_id) == order_id
until("it is cancelled", lambda: found(order_id)["status"] == "CANCELLED")
assert kite.order_history(order_id)[-1]["status"] == "CANCELLED"

filled = kite.place_order("regular", quantity=1, price=1650, **order)
until("it is filled", lambda: found(filled)["status"] == "COMPLETE")
time.sleep(1)
assert kite.order_trades(filled)[0]["order_id"] == filled
assert any(trade["order_id"] == filled for trade in kite.trades())
assert any(position["tradingsymbol"] == "INFY" for position in kite.positions()["net"])
assert kite.holdings() and kite.margins("equity")["net"] > 0 and kite.profile()["user_id"]
time.sleep(1)
asked = [dict(order, variety="regular", quantity=1, price=1500, trigger_price=0)]
assert kite.order_margins(asked)[0]["total"] > 0
assert kite.basket_order_margins(asked)["initial"]["total"] > 0
note = [dict(asked[0], order_id="1", average_price=1500)]
assert kite.get_virtual_contract_note(note)[0]["charges"]["total"] > 0
assert kite.mf_holdings() and kite.mf_orders() and kite.mf_sips() and kite.get_auction_instruments()
until("it is quoted", lambda: kite.quote("NSE:INFY")["NSE:INFY"]["instrument_token"] == INFY)
time.sleep(1)
assert kite.ltp("NSE:INFY")["NSE:INFY"]["last_price"] > 0
assert any(row["tradingsymbol"] == "INFY" for row in kite.instruments("NSE"))
candles = kite.historical_data(INFY, "2026-11-02 00:00:00", "2026-11-06 23:59:59", "day", oi=True)
assert len(candles) == 5 and isinstance(candles[0]["date"], datetime.datetime)

time.sleep(1)
refuses(InputException, lambda: kite.cancel_order("regular", "999"))
refuses(TokenException, lambda: KiteConnect(api_key=api_key, access_token="wrong", root=root).orders())
assert kite.invalidate_access_token() is True
assert kite.profile()["user_id"]
print(json.dumps({"client": f"pykiteconnect {__version__}", "order_id": order_id}))
