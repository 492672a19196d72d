"""What runs without anybody asking: schedules, rescue, folding, sealing, verifying, partitions ahead, demo traffic."""
