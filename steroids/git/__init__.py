"""Everything that is done with git: the mirror, bundles both ways, landing, pushing."""
