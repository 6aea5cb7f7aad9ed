"""One operator for each way of performing a step."""
