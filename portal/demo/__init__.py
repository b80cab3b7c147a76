"""What `keydesk demo` adds: orders to look at, and a mail server that keeps what it gets."""
