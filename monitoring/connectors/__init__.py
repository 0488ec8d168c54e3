"""Kinds of sources, one file each. See ``monitoring/connector.py`` for the contract."""
