from tests.support.engines import host_lab, lab, real_lab

__all__ = ["host_lab", "lab", "real_lab"]
