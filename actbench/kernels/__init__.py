"""From a case to a call: what a kernel executes, on which operands, and what it moves."""
