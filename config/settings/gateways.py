"""What each payment gateway is made with: its keys and addresses, from the environment."""

from __future__ import annotations

from typing import Any

import environ


def options(env: environ.Env) -> dict[str, tuple[str, dict[str, Any]]]:
    """Gateway → (dotted path, options). A gateway that misses a key says so itself, when it is made."""
    return {
        "sandbox": ("sishu.gateways.sandbox.SandboxGateway", {}),
        "wechat": ("sishu.gateways.wechat.WechatGateway", wechat(env)),
        "stripe": ("sishu.gateways.stripe.StripeGateway", stripe(env)),
        "offline": ("sishu.gateways.offline.OfflineGateway", offline(env)),
    }


def wechat(env: environ.Env) -> dict[str, Any]:
    """WeChat Pay. Keys in PEM are the text of a file, or one line with \\n in it."""
    return {
        "app_id": env.str("WECHAT_APP_ID", default=""),
        "app_secret": env.str("WECHAT_APP_SECRET", default=""),
        "mch_id": env.str("WECHAT_MCH_ID", default=""),
        "private_key": env.str("WECHAT_PRIVATE_KEY", default="", multiline=True),
        "cert_serial": env.str("WECHAT_CERT_SERIAL", default=""),
        "api_v3_key": env.str("WECHAT_API_V3_KEY", default=""),
        "public_key": env.str("WECHAT_PUBLIC_KEY", default="", multiline=True),
        "public_key_id": env.str("WECHAT_PUBLIC_KEY_ID", default=""),
        "platform_certs": env.str("WECHAT_PLATFORM_CERTS", default="", multiline=True),
        "url": env.str("WECHAT_URL", default="https://api.mch.weixin.qq.com"),
        "login_url": env.str("WECHAT_LOGIN_URL", default="https://open.weixin.qq.com/connect"),
        "api_url": env.str("WECHAT_API_URL", default="https://api.weixin.qq.com"),
    }


def offline(env: environ.Env) -> dict[str, Any]:
    """Bank transfers to the house's own accounts."""
    return {
        "accounts": env.str("OFFLINE_ACCOUNTS", default=""),
        "payee": env.str("OFFLINE_PAYEE", default=""),
        "account": env.str("OFFLINE_ACCOUNT", default=""),
        "bank": env.str("OFFLINE_BANK", default=""),
        "currency": env.str("CURRENCY", default="CNY"),
        "days": env.int("OFFLINE_DAYS", default=7),
    }


def stripe(env: environ.Env) -> dict[str, Any]:
    """Stripe. Its keys say by themselves whether they move real money."""
    return {
        "secret_key": env.str("STRIPE_SECRET_KEY", default=""),
        "webhook_secrets": env.list("STRIPE_WEBHOOK_SECRETS", default=[]),
        "url": env.str("STRIPE_URL", default="https://api.stripe.com"),
    }
