"""What runs inside a scratch installation (`bench.world` makes one): Django is set up before any module here is read."""

import django

django.setup()
