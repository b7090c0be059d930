"""The ten digits, spoken by synthetic voices."""
