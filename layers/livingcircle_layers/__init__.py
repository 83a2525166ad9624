"""What is in the city: streets, facilities, communities and people, read, cleaned and typed."""
