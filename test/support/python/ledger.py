"""The ledger of DESIGN section 3, from offsets: python3 ledger.py PARTITION < offsets, one a line.

Prints {"count", "hash"}: for s = 0 and 1 the sum modulo 2^32 of fmix32(fmix32(fmix32(partition + s) ^ high) ^ low), where
high and low are the halves of the offset, as 16 hexadecimal digits.
"""

import json
import sys

MASK = 0xFFFFFFFF


def fmix32(value):
    """The finalizer of MurmurHash3 (Appleby, public domain)."""
    value &= MASK
    value = ((value ^ (value >> 16)) * 0x85EBCA6B) & MASK
    value = ((value ^ (value >> 13)) * 0xC2B2AE35) & MASK
    return value ^ (value >> 16)


def ledger(partition, offsets):
    sums = [0, 0]
    count = 0
    for offset in offsets:
        count += 1
        for s in (0, 1):
            high, low = offset >> 32, offset & MASK
            sums[s] = (sums[s] + fmix32(fmix32(fmix32(partition + s) ^ high) ^ low)) & MASK
    return {"count": count, "hash": "".join(f"{value:08x}" for value in sums)}


if __name__ == "__main__":
    print(json.dumps(ledger(int(sys.argv[1]), (int(line) for line in sys.stdin if line.strip()))))
