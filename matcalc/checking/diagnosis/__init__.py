"""What a wrong claim has to do with the truth: an ordered table of relations, each tested before it is said."""
