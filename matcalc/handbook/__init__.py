"""What is known of every operator and property, put together for a reader from their records."""
