"""What a user sees of a run of training steps: answers, tables, CSV and remarks."""
