"""Bringing somebody's inventory in: read the file, map it by a profile, plan what would change, apply it or not.

Read in this order: ``reading`` (bytes to a table), ``profile`` (what a profile says), ``mapping`` (a row to values and
problems), ``planning`` (values against what is there), ``applying`` (the one transaction). ``sink`` is where higher
apps take what a profile declares for them.
"""
