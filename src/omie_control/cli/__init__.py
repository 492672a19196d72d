"""The operator's hand: starts every process, and works when the web is down."""
