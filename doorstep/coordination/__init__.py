"""What the daily work shares."""
