"""What each step of a plan does on the local profile; `fluvial.local.platform` chooses among them."""
