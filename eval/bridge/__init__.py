"""The heads of `bridge-mini`: their reference items, and what they reach on rows that they were not trained on."""
