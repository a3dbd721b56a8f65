"""What the house does by the clock."""

from __future__ import annotations

from django.core.management import call_command
from django_tasks import task

from sishu.commerce import upkeep
from sishu.content import versions
from sishu.jobs import runner
from sishu.jobs.schedule import Every
from sishu.outbox import relay
from sishu.reactions import selling


@task(max_attempts=1)
def publish_scheduled() -> None:
    """Publish and unpublish the pages whose moment has come. Not tried again: it comes back in a minute."""
    call_command("publish_scheduled", verbosity=0)


@task(max_attempts=3)
def clear_sessions() -> None:
    """Delete the sessions that ran out."""
    call_command("clearsessions", verbosity=0)


@task(max_attempts=3)
def prune_jobs() -> int:
    """Forget old jobs that went well."""
    return runner.prune()


@task(max_attempts=3)
def prune_facts() -> int:
    """Forget facts that everyone was told of long ago."""
    return relay.prune()


@task(max_attempts=3)
def prune_versions() -> int:
    """Forget old versions of works that were only stages of writing."""
    return versions.prune()


# Jobs of dead workers are given back by every worker's beat (sishu.jobs.heartbeat), not from here.
SCHEDULE: tuple[Every, ...] = (
    Every("deliver sandbox notices", selling.send_sandbox_notices, seconds=2),
    Every("ask about payments", upkeep.poll_payments, seconds=10),
    Every("ask about refunds", upkeep.retry_refunds, seconds=30),
    Every("follow trial purchases", upkeep.follow_trials, seconds=60),
    Every("expire orders", upkeep.expire_orders, seconds=60),
    Every("make earnings payable", upkeep.mature_earnings, seconds=3600),
    # Chinese providers have written yesterday's bill by ten; what is late is compared with the next day's.
    Every("compare bills", upkeep.compare_bills, cron="30 10 * * *"),
    Every("publish scheduled pages", publish_scheduled, seconds=60),
    Every("clear sessions", clear_sessions, cron="15 4 * * *"),
    Every("prune jobs", prune_jobs, cron="30 4 * * *"),
    Every("prune facts", prune_facts, cron="45 4 * * *"),
    Every("prune notices", upkeep.prune_notices, cron="50 4 * * *"),
    Every("forget replaced keys", upkeep.forget_replaced_keys, seconds=3600),
    Every("prune versions", prune_versions, cron="0 5 * * *"),
)
