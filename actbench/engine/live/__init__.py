"""Live checks: this environment beside another one, in rounds side by side."""
