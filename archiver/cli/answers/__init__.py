"""How answers look that are more than a listing: trees, timelines, reports, events as they come."""
