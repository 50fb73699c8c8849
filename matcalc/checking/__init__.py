"""The check: points built inside every domain, independent witnesses, a verdict with its evidence."""
