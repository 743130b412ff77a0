-- The server's clock, to compare with ours: evidence from two clocks that disagree proves nothing.
SELECT clock_timestamp() AS now
