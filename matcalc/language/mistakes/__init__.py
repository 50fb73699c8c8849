"""What people type that is not in the language: a table of examples, and a file of recognisers for each field."""
