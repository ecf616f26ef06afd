"""From configurations to what is on ``env``, with everything that several workers share."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from durabase.clock import Clock
from durabase.durable_objects import DurableObjectNamespace, ObjectHost
from durabase.errors import ConfigError, WorkerLoadError
from durabase.workers.bindings.kv import KvNamespace, KvStores
from durabase.workers.bindings.missing import missing_bindings
from durabase.workers.bindings.services import Loopback, Service
from durabase.workers.bindings.variables import variable_bindings
from durabase.workers.config import Config
from durabase.workers.hosted_worker import HostedWorker
from durabase.workers.loader import Worker

__all__ = ["Binder", "Program", "check_programs"]

_log = logging.getLogger("durabase.workers")

Program = tuple[Config, Worker]
"""A configuration, and the program that was loaded for it."""


class Binder:
    """Gives workers their bindings.

    Args:
        host: has the objects.
        kv: has the key-value namespaces.
        clock: decides what has expired in them.
    """

    def __init__(self, host: ObjectHost, kv: KvStores, clock: Clock) -> None:
        self._host = host
        self._kv = kv
        self._clock = clock

    def bind(self, workers: Sequence[HostedWorker], programs: Sequence[Program]) -> None:
        """Let the workers go on with these programs, bound to what they are configured for."""
        by_name = {config.name: worker for worker, (config, _) in zip(workers, programs, strict=True)}
        for worker, (config, program) in zip(workers, programs, strict=True):
            missing = missing_bindings(config) | _absent_workers(config, by_name)
            bindings, exports = self._bindings(config, by_name), self._exports(worker, config, program)
            worker.bind(config, program, bindings, missing, exports)

    def _bindings(self, config: Config, workers: Mapping[str, HostedWorker]) -> dict[str, object]:
        own = workers[config.name]
        bindings: dict[str, object] = dict(variable_bindings(config))
        for kv in config.kv_namespaces:
            bindings[kv.name] = KvNamespace(self._kv.store(kv.id), self._clock)
        for objects in config.durable_objects:
            owner = own if objects.script_name is None else workers.get(objects.script_name)
            if owner is not None:
                bindings[objects.name] = self._namespace(owner, objects.class_name)
        for service in config.services:
            if (target := workers.get(service.service)) is not None:
                bindings[service.name] = Service(target, service.entrypoint, service.props, self._host.limits)
        return bindings

    def _exports(self, worker: HostedWorker, config: Config, program: Worker) -> dict[str, object]:
        exports: dict[str, object] = {
            name: Loopback(worker, name, None, self._host.limits) for name in program.entrypoints
        }
        for class_name in _hosted_classes(config, program):
            exports[class_name] = self._namespace(worker, class_name)
        return exports

    def _namespace(self, owner: HostedWorker, class_name: str) -> DurableObjectNamespace:
        return self._host.namespace(owner.class_prefix + class_name)


def check_programs(programs: Sequence[Program]) -> None:
    """Complain about workers that can't be together, and about bindings between them that can't be made.

    Raises:
        ConfigError: two workers have the same name.
        WorkerLoadError: a binding names a class that a program does not have.
    """
    names = [config.name for config, _ in programs]
    for config, _ in programs:
        if names.count(config.name) > 1:
            raise ConfigError(f'{config.path}: there are several workers named "{config.name}".')
    known = {config.name: (config, program) for config, program in programs}
    for config, _ in programs:
        _check_entrypoints(config, known)
        _check_classes(config, known)


def _absent_workers(config: Config, workers: Mapping[str, HostedWorker]) -> dict[str, str]:
    """The bindings to workers that are not here, each with what to say about it."""
    bound = [(binding.name, binding.script_name) for binding in config.durable_objects]
    bound += [(binding.name, binding.service) for binding in config.services]
    absent = {}
    for name, worker in bound:
        if worker is not None and worker not in workers:
            absent[name] = (
                f'the worker "{worker}" is not running here. Give its configuration, too: '
                f"durabase dev -c {config.path} -c OTHER/wrangler.toml"
            )
            _log.warning("%s: env.%s: %s", config.name, name, absent[name])
    return absent


def _hosted_classes(config: Config, program: Worker) -> list[str]:
    names = [configured.class_name for configured in config.classes]
    return [name for name in names if name in program.object_classes]


def _check_entrypoints(config: Config, programs: Mapping[str, Program]) -> None:
    for binding in config.services:
        if binding.service in programs:
            entrypoints = list(programs[binding.service][1].entrypoints)
            _check(config, binding.name, binding.service, binding.entrypoint, entrypoints)


def _check_classes(config: Config, programs: Mapping[str, Program]) -> None:
    for binding in config.durable_objects:
        worker = binding.script_name or config.name
        if worker in programs:
            _check(config, binding.name, worker, binding.class_name, _hosted_classes(*programs[worker]))


def _check(config: Config, name: str, worker: str, class_name: str, classes: list[str]) -> None:
    if class_name not in classes:
        raise WorkerLoadError(
            f'{config.path} binds {name} to the class {class_name} of the worker "{worker}", '
            f"which has no such class. It has: {', '.join(sorted(classes)) or 'none'}."
        )
