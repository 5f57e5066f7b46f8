"""Scripts that make the bundled models from public data; nothing here is needed to use them."""
