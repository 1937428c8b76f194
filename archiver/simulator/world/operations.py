"""What happens to stacks, services and containers: each operation a generator over virtual time."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from archiver.simulator.world import works
from archiver.simulator.world.acting import carry_out
from archiver.simulator.world.objects import Caller, Life, Resource, Stack
from archiver.simulator.world.platform import Platform

_CALLERS: Final[list[Caller]] = [
    ("ada", "203.0.113.7", "Lisbon, Portugal", "Mozilla/5.0 (X11; Linux x86_64) Firefox/42.0", True),
    ("ben", "203.0.113.42", "Utrecht, Netherlands", "Mozilla/5.0 (Macintosh) Safari/601.3.9", True),
    ("ada", "198.51.100.20", "Lisbon, Portugal", "tutum/0.21.0", True),
    ("deploy-bot", "198.51.100.9", "Ashburn, United States", "python-tutum/0.21.0", True),
    ("", "", "", "", False),
]
_STACK_NAMES: Final = ["shop", "blog", "wiki", "billing", "search", "metrics", "mail", "chat"]
_SERVICES: Final = [
    ("web", "nginx:1.9"),
    ("db", "postgres:9.4"),
    ("api", "acme/api:latest"),
    ("worker", "acme/worker:latest"),
    ("cache", "redis:3.0"),
    ("lb", "tutum/haproxy:latest"),
]


# --- actions ----------------------------------------------------------------------------------------------------------


def act(p: Platform, target: Resource, verb: str, work: Life, *, sure: bool = False) -> Generator[float, None, bool]:
    """Do `work` as an action with a life of its own; unless `sure`, it may end before the work begins."""
    action = p.new_action(target, title(target, verb), verb, p.choose(_CALLERS))
    p.change(action, "Pending")
    yield p.pause(0.1, 1)
    if action.state == "Canceled":
        return False
    luck = 1.0 if sure else p.rng.random()
    if luck < 0.01:
        p.change(action, "Canceled")
        return False
    p.change(action, "In progress")
    yield p.pause(0.1, 1.5)
    canceled = action.state == "Canceling"
    if canceled or luck < 0.05:
        if luck < 0.02 and not canceled:
            p.change(action, "Canceling")
            yield p.pause(0.5, 3)
        p.change(action, "Canceled" if canceled or luck < 0.02 else "Failed")
        return False
    return (yield from carry_out(p, action, work))


def title(target: Resource, verb: str) -> str:
    """What the platform calls an action."""
    return f"{_TITLES[target.type]} {verb.replace('-', ' ').title()}"


_TITLES: Final = {
    "stack": "Stack",
    "service": "Service",
    "container": "Container",
    "node": "Node",
    "nodecluster": "Node Cluster",
}


# --- stacks -----------------------------------------------------------------------------------------------------------


def deploy_stack(p: Platform) -> Life:
    """A new stack with two to four services, deployed."""
    stack = p.new_stack(f"{p.choose(_STACK_NAMES)}-{p.rng.randrange(1000)}")
    p.stacks.append(stack)
    stack.busy = True
    p.change(stack, "Not Running")
    for name, image in p.rng.sample(_SERVICES, p.rng.randint(2, 4)):
        p.change(p.new_service(stack, name, image), "Not running")
    yield p.pause(0.2, 2)
    yield from act(p, stack, "deploy", works.bring_up(p, stack), sure=True)
    stack.busy = False


def replace_stack(p: Platform, stack: Stack) -> Life:
    """A stack terminates; a while later another one deploys."""
    if (yield from act(p, stack, "terminate", works.take_down(p, stack))):
        yield p.pause(10, 60)
        p.spawn(deploy_stack(p))


def redeploy_stack(p: Platform, stack: Stack) -> Life:
    """All services of a stack get new containers."""
    yield from act(p, stack, "redeploy", works.through(p, stack, "Redeploying", works.renew_service, "Running"))


def pause_stack(p: Platform, stack: Stack) -> Life:
    """All services of a stack are stopped and, a while later, started."""
    if (yield from act(p, stack, "stop", works.through(p, stack, "Stopping", works.stop_service, "Stopped"))):
        yield p.pause(5, 60)
        yield from act(
            p, stack, "start", works.through(p, stack, "Starting", works.start_service, "Running"), sure=True
        )


# --- services ---------------------------------------------------------------------------------------------------------


def redeploy_service(p: Platform, stack: Stack) -> Life:
    """One service gets new containers, one after another."""
    service = p.choose(stack.services)
    yield from act(p, service, "redeploy", works.renew_service(p, service))


def scale_service(p: Platform, stack: Stack) -> Life:
    """One service gets more containers, or fewer."""
    service = p.choose(stack.services)
    yield from act(p, service, "scale", works.scale_service(p, service))


def pause_service(p: Platform, stack: Stack) -> Life:
    """One service is stopped and, a while later, started."""
    service = p.choose(stack.services)
    if (yield from act(p, service, "stop", works.then_derive(p, works.stop_service(p, service), stack))):
        yield p.pause(5, 60)
        yield from act(p, service, "start", works.then_derive(p, works.start_service(p, service), stack), sure=True)


# --- containers -------------------------------------------------------------------------------------------------------


def crash(p: Platform, stack: Stack) -> Life:
    """A container dies by itself and is restarted; no action."""
    container = p.choose(p.choose(stack.services).containers)
    container.exit_code = p.choose([1, 2, 137, 139, 143])
    p.change(container, "Stopped")
    works.derive(p, container.service)
    yield p.pause(0.5, 5)
    yield from works.then_derive(p, works.start(p, container), container.service)


def pause_container(p: Platform, stack: Stack) -> Life:
    """A container is stopped and, a while later, started."""
    container = p.choose(p.choose(stack.services).containers)
    service = container.service
    if (yield from act(p, container, "stop", works.then_derive(p, works.stop(p, container), service))):
        yield p.pause(5, 60)
        yield from act(p, container, "start", works.then_derive(p, works.start(p, container), service), sure=True)
