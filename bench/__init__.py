"""What Keydesk costs, measured."""
