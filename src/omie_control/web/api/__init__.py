"""The REST API, `/api/v1`: the same verbs for programs. Bearer tokens only, no cookie is ever read here.

Every answer that is no success is a problem of RFC 9457; every listing is `{"items": […], "next": …}`.
"""

from omie_control.web.api.routes import ROUTERS

__all__ = ["ROUTERS"]
