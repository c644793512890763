"""What people run by hand or through make: set-up, demo, checks, generated documents."""
