"""Writing merged claims: over Bolt, or by a bulk import."""
