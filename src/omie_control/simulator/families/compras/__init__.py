"""Purchases and production: orders to suppliers, goods received, notes of entry, price tables, production orders."""
