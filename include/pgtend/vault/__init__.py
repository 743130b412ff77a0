"""Where copies live: S3 or a folder, behind one small protocol whose every put is confirmed from the far side."""
