"""The demo school: people, rooms, works and prices that a first visitor finds."""
