"""The constructors, by concept; :mod:`matcalc.expression.build` is their door."""
