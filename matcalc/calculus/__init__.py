"""The calculus: differentials, transposition of linear maps, and textbook form."""
