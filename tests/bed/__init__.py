"""The test bed: real servers and the faults that befall them."""
