"""From what users pass to rows that a network learns from, and back to their units."""
