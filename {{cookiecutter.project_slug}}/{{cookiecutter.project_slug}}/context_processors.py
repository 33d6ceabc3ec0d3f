"""What every template knows."""

from django.conf import settings

from frames.static_files import static_url


def site(request):
    """Give templates the site's name, and where D-Tale and its static files are."""
    return {
        "site_name": settings.SITE_NAME,
        "dtale_prefix": settings.DTALE_PREFIX,
        "dtale_static": static_url("dtale/static"),
    }
