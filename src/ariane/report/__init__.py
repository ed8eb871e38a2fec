"""What the operator owes: every model goes live with a signed report of what it does."""
