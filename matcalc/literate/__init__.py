"""Derivatives that stand in documents, found and checked where they are."""
