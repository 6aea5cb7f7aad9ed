"""The SCD2 core: which events are new, which versions they make, and what that changes in the history."""
