"""The benchmark: `make bench`, or `python -m bench --orders 100000 --database sqlite`.

It fills a portal with orders through the real import, starts the real server, signs an agent in,
and compares pages with a bare Flask page of 15 KB on the same kind of server, request by request in
turns: the ratios mean the same on a quick machine and on a busy one.
"""
