"""What the controller does, a file per noun. Nothing here knows HTTP or a concrete engine."""
