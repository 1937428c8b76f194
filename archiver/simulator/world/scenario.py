"""How the simulated platform begins, and what comes over it from then on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from archiver.simulator.world import nodes, operations
from archiver.simulator.world.objects import Cluster, Life, Resource, Stack
from archiver.simulator.world.platform import Platform


def begin(p: Platform) -> Life:
    """The cluster and its nodes, then the stacks one after another, then what happens every now and then."""
    cluster = p.new_cluster("main", "lon1", "2gb")
    cluster.busy = True
    p.change(cluster, "Init")
    yield p.pause(0.5, 2)
    p.change(cluster, "Deploying")
    for _ in range(p.world.nodes):
        p.change(nodes.named_node(p, cluster), "Deploying")
    yield p.pause(5, 20)
    for node in cluster.nodes:
        p.change(node, "Deployed")
        yield p.pause(0.1, 2) / p.world.nodes
    p.change(cluster, "Deployed")
    cluster.busy = False
    for _ in range(p.world.stacks):
        p.spawn(operations.deploy_stack(p))
        yield p.pause(0.1, 4) / max(1, p.world.stacks / 10)
    p.spawn(incidents(p, cluster))


def incidents(p: Platform, cluster: Cluster) -> Life:
    """Every now and then something happens to a stack that is at rest, more rarely to the nodes."""
    weights = [calm * (1 - p.world.churn) + busy * p.world.churn for _, calm, busy in _INCIDENTS]
    mean = 60.0 / (p.world.rate * max(1, len(p.stacks))) if p.world.rate else 0.0
    while mean:
        yield p.rng.expovariate(1.0) * mean
        operation = p.rng.choices(_INCIDENTS, weights)[0][0]
        if (life := operation(p, cluster)) is not None:
            p.spawn(life)


def _on_stack(operation: Callable[[Platform, Stack], Life]) -> Callable[[Platform, Cluster], Life | None]:
    def start(p: Platform, cluster: Cluster) -> Life | None:
        for _ in range(4):
            if not p.stacks:
                return None
            stack = p.choose(p.stacks)
            if not stack.busy and _is_well(stack):
                stack.busy = True
                return _then_rest(operation(p, stack), stack)
        return None

    return start


def _is_well(stack: Stack) -> bool:
    """Whether all of it runs: what somebody has stopped from outside stays as he wants it."""
    return stack.state == "Running" and all(
        service.state == "Running" and service.containers for service in stack.services
    )


def _on_cluster(operation: Callable[[Platform, Cluster], Life]) -> Callable[[Platform, Cluster], Life | None]:
    def start(p: Platform, cluster: Cluster) -> Life | None:
        if cluster.busy or cluster.state != "Deployed" or cluster.target is not None:
            return None
        cluster.busy = True
        return _then_rest(operation(p, cluster), cluster)

    return start


def _then_rest(life: Life, resource: Resource) -> Life:
    yield from life
    resource.busy = False


_INCIDENTS: Final[list[tuple[Callable[[Platform, Cluster], Life | None], float, float]]] = [
    (_on_stack(operations.crash), 10.0, 4.0),
    (_on_cluster(nodes.lose_node), 0.3, 0.2),
    (_on_stack(operations.redeploy_service), 0.0, 3.0),
    (_on_stack(operations.scale_service), 0.0, 2.0),
    (_on_stack(operations.pause_container), 0.0, 2.0),
    (_on_stack(operations.pause_service), 0.0, 1.0),
    (_on_stack(operations.redeploy_stack), 0.0, 0.4),
    (_on_stack(operations.pause_stack), 0.0, 0.3),
    (_on_stack(operations.replace_stack), 0.0, 0.5),
    (_on_cluster(nodes.upgrade_node), 0.0, 0.2),
    (_on_cluster(nodes.scale_cluster), 0.0, 0.2),
]
"""An operation, its weight on a platform without churn, and its weight on one that is all churn."""
