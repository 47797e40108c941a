"""What starts, checks and measures the product. Nothing of the product imports this folder, except its entry points."""
