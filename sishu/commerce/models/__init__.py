from sishu.commerce.models.entitlement import Entitlement
from sishu.commerce.models.offer import Offer, RevenueShare
from sishu.commerce.models.order import Order, OrderLine
from sishu.commerce.models.payment import Payment, Refund

__all__ = ["Entitlement", "Offer", "Order", "OrderLine", "Payment", "Refund", "RevenueShare"]
