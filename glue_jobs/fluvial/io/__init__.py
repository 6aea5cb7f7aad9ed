"""The only reads, writes, clocks and sessions; everything else is handed what it needs."""
