"""People and the ordinary order, as fixtures."""
