from tests.support.mariadb import mariadb
from tests.support.story import desk_story, local_story, npm_story, story, story_engine

__all__ = ["desk_story", "local_story", "mariadb", "npm_story", "story", "story_engine"]
