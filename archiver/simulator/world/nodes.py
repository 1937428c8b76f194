"""What happens to the nodes of the simulated platform: each operation a generator over virtual time."""

from __future__ import annotations

from archiver.simulator.world.objects import Cluster, Life, Node
from archiver.simulator.world.operations import act
from archiver.simulator.world.platform import Platform


def named_node(p: Platform, cluster: Cluster) -> Node:
    """A new node with a name of the cluster's."""
    return p.new_node(cluster, f"{cluster.name}-{p.rng.getrandbits(32):08x}")


def lose_node(p: Platform, cluster: Cluster) -> Life:
    """A node is out of reach for a while."""
    node = p.choose(cluster.nodes)
    p.change(node, "Unreachable")
    yield p.pause(5, 120)
    p.change(node, "Deployed")


def upgrade_node(p: Platform, cluster: Cluster) -> Life:
    """A node gets a newer Docker."""
    node = p.choose(cluster.nodes)
    yield from act(p, node, "upgrade", _upgrade(p, node))


def _upgrade(p: Platform, node: Node) -> Life:
    p.change(node, "Upgrading")
    yield p.pause(10, 60)
    node.docker_version = "1.9.1"
    p.change(node, "Deployed")


def scale_cluster(p: Platform, cluster: Cluster) -> Life:
    """The cluster gets one more node, or gives it back."""
    work = _grow if len(cluster.nodes) == p.world.nodes else _shrink
    yield from act(p, cluster, "scale", work(p, cluster))


def _grow(p: Platform, cluster: Cluster) -> Life:
    p.change(cluster, "Scaling")
    node = named_node(p, cluster)
    p.change(node, "Deploying")
    yield p.pause(10, 60)
    p.change(node, "Deployed")
    p.change(cluster, "Deployed")


def _shrink(p: Platform, cluster: Cluster) -> Life:
    p.change(cluster, "Scaling")
    node = cluster.nodes.pop()
    p.change(node, "Terminating")
    yield p.pause(5, 20)
    p.change(node, "Terminated")
    p.change(cluster, "Deployed")
