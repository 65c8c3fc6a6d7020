"""Every tick that is published in Redis.

    pip install redis && python docs/examples/redis_ticks.py
"""
import json
import struct

import redis

HEADER = struct.Struct(">BBHIQQd")  # version, flags, shard, reserved, stream_id, seq, received_ms
MODES = {8: "ltp", 28: "quote", 32: "full", 44: "quote", 184: "full"}
DIVISORS = {3: 10_000_000.0, 6: 10_000.0}  # currency of NSE and of BSE; all others in paise


def ticks(message):
    """Yields (seq, token, mode, last_price) of one published message."""
    version, flags, _shard, _reserved, _stream_id, seq, _received_ms = HEADER.unpack_from(message)
    if version != 1:
        raise ValueError(f"unknown version {version}")
    if flags & 2:
        print("gap: ticks before this message were not published")
    (count,) = struct.unpack_from(">H", message, HEADER.size)
    at = HEADER.size + 2
    for _ in range(count):
        (length,) = struct.unpack_from(">H", message, at)
        token, last_price = struct.unpack_from(">Ii", message, at + 2)
        yield seq, token, MODES.get(length, "unknown"), last_price / DIVISORS.get(token & 0xFF, 100.0)
        at += 2 + length


if __name__ == "__main__":
    env = json.load(open(".dev/env.json"))
    pubsub = redis.Redis.from_url(env["tickRedisUrl"]).pubsub()
    pubsub.psubscribe("*:ticks:raw:*")
    for item in pubsub.listen():
        if item["type"] == "pmessage":
            for seq, token, mode, price in ticks(item["data"]):
                print(seq, token, mode, price, flush=True)
