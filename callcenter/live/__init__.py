"""What happens at this moment: queues and their members."""
