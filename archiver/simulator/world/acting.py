"""How an action is carried out: to its end, until somebody cancels it, or until it cannot go on."""

from __future__ import annotations

from collections.abc import Generator

from archiver.simulator.world import works
from archiver.simulator.world.objects import Action, Cluster, Container, Life, Node, Resource, Service, Stack
from archiver.simulator.world.platform import Platform

LOOK_AGAIN = 0.2
"""How often, in virtual seconds, what waits looks whether its turn has come."""

_COMES_TO = {"Starting": "Running", "Stopping": "Stopped", "Deploying": "Deployed", "Upgrading": "Deployed"}
"""To what a container or node comes that is on its way to it."""


def whole_of(target: Resource) -> Resource:
    """The stack, service without a stack, or cluster on which one thing at a time is done with all that is in it."""
    match target:
        case Container(service=service):
            return whole_of(service)
        case Service(stack=Stack() as stack):
            return stack
        case Node(cluster=cluster):
            return cluster
    return target


def carry_out(p: Platform, action: Action, work: Life) -> Generator[float, None, bool]:
    """Go through the work of an action in progress; True: it was done, False: it was canceled or has failed.

    Whoever cancels it sets it to `Canceling`: what is on its way then comes to where it goes, and nothing else begins.
    """
    end = "Success"
    try:
        for delay in work:
            yield delay
            if action.state == "Canceling":
                end = "Canceled"
                break
    except works.NoNode:
        end = "Failed"
    work.close()
    if end != "Success":
        yield from _settle(p, action.target)
    p.change(action, end)
    return end == "Success"


def _settle(p: Platform, target: Resource) -> Life:
    """Bring to a rest what was left in the middle, each part first."""
    match whole_of(target):
        case Stack() as stack:
            stack.services[:] = [service for service in stack.services if service.state != "Terminated"]
            for service in list(stack.services):
                yield from _settle_service(p, service)
            works.derive(p, stack)
        case Service() as service:
            yield from _settle_service(p, service)
        case Cluster() as cluster:
            for node in list(cluster.nodes):
                yield from _arrive(p, node)
            works.derive_cluster(p, cluster)


def _settle_service(p: Platform, service: Service) -> Life:
    for container in list(service.containers):
        yield from _arrive(p, container)
    works.derive(p, service)


def _arrive(p: Platform, part: Container | Node) -> Life:
    if part.state in _COMES_TO:
        yield p.pause(0.2, 2)
        p.change(part, _COMES_TO[part.state])
    elif part.state == "Terminating":
        yield p.pause(0.2, 2)
        p.change(part, "Terminated")
        if isinstance(part, Container):
            part.service.containers.remove(part)
        else:
            part.cluster.nodes.remove(part)
