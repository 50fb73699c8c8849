"""Derivations as documents: one content, written as HTML, Markdown, LaTeX, a notebook, PDF or plain text."""
