"""The migrations, oldest first by their numbers. One that has been released is never changed."""
