"""What is written for people who have no clone: pages of models, in a folder."""
