"""Old rows move to monthly partitions, and on to cold storage, without losing, doubling or blocking anything."""
