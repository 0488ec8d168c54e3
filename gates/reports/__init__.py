"""Reports of the gates. One file adds one; see ``portfolio/report.py``."""
