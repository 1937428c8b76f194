"""What happens to the nodes of the simulated platform: each operation a generator over virtual time."""

from __future__ import annotations

from archiver.simulator.world import works
from archiver.simulator.world.acting import LOOK_AGAIN, whole_of
from archiver.simulator.world.objects import Cluster, Container, Life, Node
from archiver.simulator.world.operations import act
from archiver.simulator.world.platform import Platform


def named_node(p: Platform, cluster: Cluster) -> Node:
    """A new node with a name of the cluster's."""
    return p.new_node(cluster, f"{cluster.name}-{p.rng.getrandbits(32):08x}")


# --- what happens by itself -------------------------------------------------------------------------------------------


def lose_node(p: Platform, cluster: Cluster) -> Life:
    """A node is out of reach for a while."""
    node = p.choose(cluster.nodes)
    p.change(node, "Unreachable")
    yield p.pause(5, 120)
    p.change(node, "Deployed")


def upgrade_node(p: Platform, cluster: Cluster) -> Life:
    """A node gets a newer Docker."""
    node = p.choose(cluster.nodes)
    yield from act(p, node, "upgrade", upgrade(p, node))


def scale_cluster(p: Platform, cluster: Cluster) -> Life:
    """The cluster gets one more node, or gives it back."""
    size = len(cluster.nodes)
    yield from act(p, cluster, "scale", resize(p, cluster, size + 1 if size <= p.world.nodes else size - 1))


# --- works ------------------------------------------------------------------------------------------------------------


def upgrade(p: Platform, node: Node) -> Life:
    """A node gets a newer Docker."""
    p.change(node, "Upgrading")
    yield p.pause(10, 60)
    node.docker_version = "1.9.1"
    p.change(node, "Deployed")


def upgrade_all(p: Platform, cluster: Cluster) -> Life:
    """The nodes of a cluster get a newer Docker, one after another; those that are out of reach do not."""
    for node in list(cluster.nodes):
        if node.state == "Deployed":
            yield from upgrade(p, node)


def deploy(p: Platform, cluster: Cluster) -> Life:
    """A new cluster gets its nodes."""
    p.change(cluster, "Deploying")
    for _ in range(cluster.target or 1):
        yield from add(p, cluster)
    p.change(cluster, "Deployed")


def resize(p: Platform, cluster: Cluster, target: int) -> Life:
    """A cluster gets as many nodes as it shall have; the youngest leave first."""
    p.change(cluster, "Scaling")
    while len(cluster.nodes) < target:
        yield from add(p, cluster)
    for node in reversed(cluster.nodes[target:]):
        yield from remove(p, node)
    works.derive_cluster(p, cluster)


def take_down(p: Platform, cluster: Cluster) -> Life:
    """A cluster and all its nodes terminate."""
    p.change(cluster, "Terminating")
    for node in list(cluster.nodes):
        yield from remove(p, node)
    p.change(cluster, "Terminated")


def add(p: Platform, cluster: Cluster) -> Life:
    """A cluster gets a node."""
    node = named_node(p, cluster)
    p.change(node, "Deploying")
    yield p.pause(10, 60)
    p.change(node, "Deployed")


def remove(p: Platform, node: Node) -> Life:
    """A node terminates; the containers on it go with it, as soon as nothing else is done with them."""
    p.change(node, "Terminating")
    yield p.pause(5, 20)
    for container in p.objects("container"):
        if not isinstance(container, Container) or container.node is not node:
            continue
        while whole_of(container).busy:
            yield LOOK_AGAIN
        if container.state != "Terminated":
            works.lose_container(p, container)
    node.cluster.nodes.remove(node)
    p.change(node, "Terminated")


def leave(p: Platform, node: Node) -> Life:
    """A node terminates, and its cluster is without it."""
    yield from remove(p, node)
    works.derive_cluster(p, node.cluster)


def check(p: Platform, node: Node) -> Life:
    """Somebody looks whether a node can be reached: it can, since it is nobody's turn before it is back."""
    yield p.pause(0.5, 2)
    if node.state != "Deployed":
        p.change(node, "Deployed")
