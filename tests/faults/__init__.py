"""What happens to a machine: kill -9, a full disk, a lost connection."""
