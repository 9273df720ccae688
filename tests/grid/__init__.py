"""The grid: stacks of Linux-PAM by the thousand, tried out in the real libpam with the real modules."""
