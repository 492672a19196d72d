"""What runs without anybody asking: schedules, rescue, folding, partitions ahead, demo traffic."""
