"""How commits that Steroids writes say so, and whose task they belong to."""

from steroids.git.commits import Identity

COMMITTER = Identity("Steroids", "steroids@localhost")
TRAILER = "Steroids-Task"
