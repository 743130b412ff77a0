"""Receipts of drills: signed, chained, kept, and verified by people who have nothing of ours."""
