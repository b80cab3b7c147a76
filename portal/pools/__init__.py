"""Pools of licenses: how a file is read and looked at, how an upload gets in and out again, and who
gets which license.

    reading.py   a file becomes texts            stock.py    an item takes licenses, or waits
    findings.py  what there is to say of each    waiting.py  who waits is served when there is more
    staging.py   what is new is put ready        uploads.py  confirmed, discarded, taken back
    sold.py      what an order has is in no pool
"""
