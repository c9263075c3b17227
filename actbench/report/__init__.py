"""What people and other programs read: one file per output format."""
