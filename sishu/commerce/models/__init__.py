from sishu.commerce.models.bill import BillLine, ProviderBill
from sishu.commerce.models.dispute import Dispute
from sishu.commerce.models.entitlement import Entitlement
from sishu.commerce.models.merchant import MerchantKeys, MerchantKeysChange
from sishu.commerce.models.notice import ReceivedNotice
from sishu.commerce.models.offer import Offer, RevenueShare
from sishu.commerce.models.order import Order, OrderLine
from sishu.commerce.models.payment import Payment
from sishu.commerce.models.refund import Refund, RefundLine
from sishu.commerce.models.statement import BankEntry
from sishu.commerce.models.trial import TrialPurchase

__all__ = [
    "BankEntry",
    "BillLine",
    "Dispute",
    "Entitlement",
    "MerchantKeys",
    "MerchantKeysChange",
    "Offer",
    "Order",
    "OrderLine",
    "Payment",
    "ProviderBill",
    "ReceivedNotice",
    "Refund",
    "RefundLine",
    "RevenueShare",
    "TrialPurchase",
]
