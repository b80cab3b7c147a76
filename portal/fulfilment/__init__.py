"""How licenses are obtained: one file for each tool, and all of them answer alike.

A tool is a module with `Settings`, a pydantic model of what an operator sets for a product, and
`obtain(request, settings)`, which returns one of the answers of `answer.py` and holds no
transaction while it asks anybody. A fifth tool is one more file, and a line in `desk.TOOLS`.
"""
