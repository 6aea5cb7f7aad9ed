"""Per-batch metrics, measured in the pass that materialises the batch; they measure and never filter."""
