"""Texts and embeddings: a bounded sample of rows is read where they lie, and a classifier tries to tell two apart.

Nothing here knows Django or a model of ours, and nothing here keeps a row.
"""
