"""The translation lab: where each written character looks, and what follows from another memory or a forced one."""
