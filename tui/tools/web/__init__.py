"""Pages of the web for tools: which addresses may be reached, how they are fetched, what text is in them."""
