"""What every template knows."""

from django.conf import settings


def site(request):
    """Give templates the site's name."""
    return {"site_name": settings.SITE_NAME}
