"""What every template knows."""

from django.conf import settings


def site(request):
    """Give templates the site's name and D-Tale's prefix, as settings has them."""
    return {"site_name": settings.SITE_NAME, "dtale_prefix": settings.DTALE_PREFIX}
