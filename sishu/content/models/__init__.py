"""Everything the content package stores."""

from sishu.content.models.article import ArticlePage, TaggedWork
from sishu.content.models.authorship import Authorship
from sishu.content.models.category import Category
from sishu.content.models.home import CreatorHub, HomePage
from sishu.content.models.invitation import Invitation
from sishu.content.models.media import Attachment, Picture, PictureRendition
from sishu.content.models.media_use import MediaUse
from sishu.content.models.review import FirstChecksState, FirstChecksTask

__all__ = [
    "ArticlePage",
    "Attachment",
    "Authorship",
    "Category",
    "CreatorHub",
    "FirstChecksState",
    "FirstChecksTask",
    "HomePage",
    "Invitation",
    "MediaUse",
    "Picture",
    "PictureRendition",
    "TaggedWork",
]
