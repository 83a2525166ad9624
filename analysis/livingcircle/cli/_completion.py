"""What the shell proposes for the value of an option."""

from __future__ import annotations


def standards(incomplete: str) -> list[tuple[str, str]]:
    """Return bundles and standards that begin with what is typed, with their titles."""
    from livingcircle.standards import list_standards

    return [(entry.id, entry.title) for entry in list_standards() if entry.id.startswith(incomplete)]


def walkers(incomplete: str) -> list[str]:
    """Return walkers that begin with what is typed."""
    from livingcircle.walkers import WALKERS

    return [name for name in WALKERS if name.startswith(incomplete)]


def sources(incomplete: str) -> list[tuple[str, str]]:
    """Return the services of which a file may be given, as SERVICE= or +SERVICE=, with their names."""
    from livingcircle_layers.catalogue import load_catalogue

    plus, typed = ("+", incomplete[1:]) if incomplete.startswith("+") else ("", incomplete)
    services = load_catalogue().services.values()
    return [(f"{plus}{service.id}=", service.name_zh) for service in services if service.id.startswith(typed)]
