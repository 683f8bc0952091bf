"""What runs on the edge and in the cloud: packets, codec and bundle. Never imports torch."""
