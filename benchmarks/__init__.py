"""What matcalc's code costs beside the alternatives; ``python -m benchmarks`` measures and prints the tables."""
