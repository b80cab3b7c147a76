"""The ways orders come in. All of them read an order document and end in `upsert`."""
