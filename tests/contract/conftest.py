from tests.support.engines import lab, real_lab

__all__ = ["lab", "real_lab"]
