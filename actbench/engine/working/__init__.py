"""What a worker process executes: it answers requests, and knows no policy."""
