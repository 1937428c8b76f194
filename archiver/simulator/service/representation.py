"""How the REST API shows the objects of the platform: the fields that the original clients read, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from archiver.simulator.service import catalogue
from archiver.simulator.world.objects import Action, Cluster, Container, Node, Resource, Service, Stack
from archiver.simulator.world.orders import can_be_canceled, can_be_retried
from archiver.simulator.world.platform import Platform

_PORTS: Final = {"nginx": 80, "postgres": 5432, "redis": 6379, "tutum/haproxy": 80}
_COMMANDS: Final = {"acme/worker": "python -m worker", "acme/api": "gunicorn api:app"}


_SETTINGS: Final[dict[str, Any]] = {
    "autodestroy": "OFF",
    "autoredeploy": False,
    "autorestart": "OFF",
    "bindings": [],
    "cpu_shares": None,
    "deployment_strategy": "EMPTIEST_NODE",
    "linked_from_service": [],
    "linked_to_service": [],
    "memory": None,
    "net": "bridge",
    "pid": "none",
    "privileged": False,
    "roles": [],
    "sequential_deployment": False,
    "tags": [],
}
"""What a service says of itself that was told nothing: the documented defaults."""


def describe(platform: Platform, resource: Resource) -> dict[str, Any]:
    """An object as the API shows it."""
    base = {"uuid": resource.uuid, "resource_uri": resource.uri, "state": resource.state}
    when = platform.spelling.rfc2822
    life = {"deployed_datetime": when(resource.deployed), "destroyed_datetime": when(resource.destroyed)}
    run = {"started_datetime": when(resource.started), "stopped_datetime": when(resource.stopped)}
    match resource:
        case Action():
            return base | _action(platform, resource)
        case Stack():
            return base | life | _stack(resource)
        case Service():
            return base | life | run | _SETTINGS | _service(resource) | _links_of_service(platform, resource)
        case Container():
            return base | life | run | _container(resource) | _links_of_container(platform, resource)
        case Node():
            seen = platform.now if resource.state == "Deployed" else resource.last_seen
            return base | life | _node(platform, resource) | {"last_seen": when(seen)}
        case Cluster():
            return base | life | _cluster(platform, resource)
    raise TypeError(f"no such object: {resource.type}")


def _action(platform: Platform, action: Action) -> dict[str, Any]:
    when = platform.spelling.rfc2822
    shown: dict[str, Any] = {
        "action": action.name,
        "method": action.method,
        "path": action.path,
        "object": action.target.uri,
        "ip": action.ip or None,
        "location": action.location,
        "user_agent": action.user_agent,
        "is_user_action": action.is_user_action,
        "can_be_canceled": can_be_canceled(action),
        "can_be_retried": can_be_retried(action),
        "created": when(action.created),
        "start_date": when(action.created),
        "end_date": when(action.stopped),
    }
    # Docker Cloud tells who; Tutum told what was sent, secrets and all.
    return shown | ({"body": ""} if platform.spelling.flavour == "tutum" else {"user": action.user or None})


def _stack(stack: Stack) -> dict[str, Any]:
    return {
        "name": stack.name,
        "nickname": stack.name,
        "services": [service.uri for service in stack.services],
        "synchronized": all(service.synchronized for service in stack.services),
        **stack.settings,
    }


def exported(stack: Stack) -> dict[str, Any]:
    """A stack as its file would say it."""
    return {
        service.name: {"image": service.image, "target_num_containers": service.target or len(service.containers)}
        for service in stack.services
    }


def _service(service: Service) -> dict[str, Any]:
    shown = _process(service)
    return {
        "name": service.name,
        "nickname": service.name,
        "image_name": service.image,
        "stack": service.stack and service.stack.uri,
        "containers": [container.uri for container in service.containers],
        "current_num_containers": len(service.containers),
        "target_num_containers": len(service.containers) if service.target is None else service.target,
        "running_num_containers": sum(container.state == "Running" for container in service.containers),
        "stopped_num_containers": sum(container.state == "Stopped" for container in service.containers),
        "synchronized": service.synchronized,
        "public_dns": f"{_full_name(service.name, service)}.svc.example.com",
        "calculated_envvars": [pair | {"origin": "user"} for pair in shown["container_envvars"]],
        **service.settings,
        **shown,
    }


def _full_name(name: str, service: Service) -> str:
    return name if service.stack is None else f"{name}.{service.stack.name}"


def _container(container: Container) -> dict[str, Any]:
    return {
        "name": container.name,
        "image_name": container.service.image,
        "service": container.service.uri,
        "node": container.node.uri,
        "exit_code": container.exit_code,
        "public_dns": f"{_full_name(container.name, container.service)}.cont.example.com",
        "private_ip": _private_ip(container),
        "synchronized": container.service.synchronized,
        **_process(container.service),
    }


def _private_ip(container: Container) -> str:
    return f"10.7.{int(container.uuid[:2], 16)}.{int(container.uuid[2:4], 16)}"


def _links_of_service(platform: Platform, service: Service) -> dict[str, Any]:
    links = [
        {"from_service": service.uri, "name": name, "to_service": to.uri} for name, to in _linked(platform, service)
    ]
    return {"linked_to_service": links}


def _links_of_container(platform: Platform, container: Container) -> dict[str, Any]:
    """What a proxy that runs in a container asks of its own: where the containers are that it was linked to."""
    links = [
        {
            "endpoints": {
                f"{port['inner_port']}/{port['protocol']}": f"tcp://{_private_ip(to)}:{port['inner_port']}"
                for port in _process(service)["container_ports"]
            },
            "from_container": container.uri,
            "name": f"{name}_{number}".upper(),
            "to_container": to.uri,
        }
        for name, service in _linked(platform, container.service)
        for number, to in enumerate(service.containers, 1)
    ]
    return {"linked_to_container": links}


def _linked(platform: Platform, service: Service) -> Iterator[tuple[str, Service]]:
    """The services that a service was told to be linked to: by their URI, or by their name, in its own stack or not."""
    for link in service.settings.get("linked_to_service", ()):
        told = str(link.get("to_service", "")) if isinstance(link, dict) else ""
        for other in platform.objects("service"):
            if isinstance(other, Service) and other.state != "Terminated" and told in _names(other, service):
                yield str(link.get("name") or other.name), other
                break


def _names(other: Service, service: Service) -> set[str]:
    """By what a service may be called by another."""
    names = {other.uri, _full_name(other.name, other)}
    return names | {other.name} if other.stack is service.stack else names


def _envvars(service: Service) -> list[dict[str, str]]:
    # What nobody should keep: a reader of this API has to leave it alone.
    secret = [{"key": "SECRET_KEY", "value": f"do-not-archive-{service.uuid[:8]}"}]
    told: list[dict[str, str]] = service.settings.get("container_envvars", secret)
    return told


def _process(service: Service) -> dict[str, Any]:
    """What runs in each container of a service, and where it listens."""
    image = service.image.partition(":")[0]
    port = _PORTS.get(image)
    shown = {"protocol": "tcp", "outer_port": None, "inner_port": port, "port_name": image, "published": False}
    ports = [] if port is None else [shown]
    return {
        "container_ports": service.settings.get("container_ports", ports),
        "container_envvars": _envvars(service),
        "run_command": service.settings.get("run_command", _COMMANDS.get(image, "")),
        "entrypoint": service.settings.get("entrypoint", ""),
    }


def _node(platform: Platform, node: Node) -> dict[str, Any]:
    return {
        "nickname": node.name,
        "external_fqdn": f"{node.uuid[:8]}.node.example.com",
        "node_cluster": node.cluster.uri,
        "node_type": catalogue.node_type_uri(platform.spelling, node.cluster.node_type),
        "region": catalogue.region_uri(platform.spelling, node.cluster.region),
        "docker_version": node.docker_version,
        "tags": [],
        **node.settings,
    }


def _cluster(platform: Platform, cluster: Cluster) -> dict[str, Any]:
    return {
        "name": cluster.name,
        "node_type": catalogue.node_type_uri(platform.spelling, cluster.node_type),
        "region": catalogue.region_uri(platform.spelling, cluster.region),
        "nodes": [node.uri for node in cluster.nodes],
        "current_num_nodes": len(cluster.nodes),
        "target_num_nodes": len(cluster.nodes) if cluster.target is None else cluster.target,
        "tags": [],
        **cluster.settings,
    }
