# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What everything above asks of a provider: the part that each has, and mix-ins for the rest (private).

A provider that lacks something does not take its mix-in: then there is nothing to read of it, and a
write is refused before any request.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from datetime import datetime
from typing import ClassVar

from ..._core.errors import InvalidError, NotFoundError
from ..._models.balance import Balance
from ..._models.catalogue import InstanceType, Stock, VolumeType
from ..._models.orders import Disposal, InstanceOrder, VolumeOrder
from ..._models.resources import Instance, SshKey, StartupScript, Tag, Volume
from .capabilities import Capabilities


class Provider(ABC):
    """An account at a provider. Sizes in GiB, prices per hour, times in UTC.

    Errors are those of ``_core.errors``: a write raises an unclear one when it may have been executed.
    A list is all of an account, or an error; never a part of it.
    """

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    # In which an account pays whose balance nobody tells.
    currency: ClassVar[str] = "usd"

    # -- what each has -------------------------------------------------------------------------

    @abstractmethod
    def now(self) -> datetime:
        """Return the provider's time, so that leases do not depend on the controller's clock."""

    @abstractmethod
    def instance_types(self, currency: str | None = None) -> list[InstanceType]:
        """Return what can be rented at all, with prices."""

    @abstractmethod
    def availability(self, market: str) -> list[Stock]:
        """Return what is in stock, for ``on_demand`` or ``spot``."""

    @abstractmethod
    def instances(self) -> list[Instance]:
        """Return the instances of the account as they are now."""

    @abstractmethod
    def instance(self, instance_id: str) -> Instance:
        """Return one instance. Raises NotFoundError, also for one that only lags behind its order."""

    @abstractmethod
    def order(self, order: InstanceOrder) -> str:
        """Order an instance and return its id; never repeated after an unclear answer.

        Raises NoCapacityError where the next offer may be had, NoFundsError, QuotaError, InvalidError
        or AuthError where none will.
        """

    @abstractmethod
    def terminate(self, instance_id: str, disposal: Disposal, *, stuck: bool = False) -> None:
        """Ask for the end of an instance; ``stuck`` says that it was built for too long.

        That it was accepted is no proof. Raises WrongStateError where it can be asked for later.
        """

    # -- what some lack ------------------------------------------------------------------------

    def ended_instances(self) -> list[Instance]:
        """Return what an account still tells of instances that were terminated."""
        return []

    def is_eviction(self, instance_id: str) -> bool | None:
        """Tell whether an instance was taken away, None where nothing says."""
        del instance_id
        return None

    def balance(self) -> Balance:
        """Return what is left on the account; without end where the provider does not say."""
        return Balance(math.inf, self.currency)

    def tag(self, kind: str, item_id: str, key: str, value: str) -> Tag:
        raise self._lacks("tags")

    def untag(self, kind: str, item_id: str, tag_id: str) -> None:
        raise self._lacks("tags")

    def relabel(self, instance_id: str, label: str) -> None:
        raise self._lacks("labels that change")

    def start(self, instance_id: str) -> None:
        raise self._lacks("a way to start an instance")

    def shut_down(self, instance_id: str) -> None:
        raise self._lacks("a way to stop an instance")

    def volumes(self) -> list[Volume]:
        """Return the volumes of the account as they are now."""
        return []

    def volume(self, volume_id: str) -> Volume:
        raise NotFoundError(f"{self.name} has no volume {volume_id}")

    def trashed_volumes(self) -> list[Volume]:
        """Return the volumes that could be had back."""
        return []

    def volume_types(self, currency: str | None = None) -> list[VolumeType]:
        """Return which types of volumes there are, with prices."""
        return []

    def add_volume(self, order: VolumeOrder) -> str:
        raise self._lacks("volumes")

    def attach_volume(self, volume_id: str, instance_id: str) -> None:
        raise self._lacks("volumes")

    def detach_volume(self, volume_id: str, instance_id: str | None = None) -> None:
        raise self._lacks("volumes")

    def resize_volume(self, volume_id: str, size_gb: int) -> None:
        raise self._lacks("volumes")

    def rename_volume(self, volume_id: str, name: str) -> None:
        raise self._lacks("volumes")

    def restore_volume(self, volume_id: str) -> None:
        raise self._lacks("volumes")

    def delete_volume(self, volume_id: str, *, for_good: bool) -> None:
        raise self._lacks("volumes")

    def ssh_keys(self) -> list[SshKey]:
        """Return the keys that are registered."""
        return []

    def unregistered_key(self, text: str) -> str | None:
        """Return the id of a public key that an order takes as it is, None where it must be registered."""
        del text
        return None

    def add_ssh_key(self, name: str, public_key: str) -> str:
        raise self._lacks("a place for SSH keys")

    def delete_ssh_key(self, key_id: str) -> None:
        raise self._lacks("a place for SSH keys")

    def startup_scripts(self) -> list[StartupScript]:
        """Return the scripts that are registered; their texts may be left out."""
        return []

    def startup_script(self, script_id: str) -> StartupScript:
        raise NotFoundError(f"{self.name} has no startup script {script_id}")

    def add_startup_script(self, name: str, content: str) -> str:
        raise self._lacks("a place for startup scripts")

    def delete_startup_script(self, script_id: str) -> None:
        raise self._lacks("a place for startup scripts")

    def _lacks(self, what: str) -> InvalidError:
        return InvalidError(f"The provider {self.name} has no {what.removeprefix('a ')}")


class Tagging(ABC):
    """Tags that can be changed later, of one of ``instances`` or ``volumes``."""

    @abstractmethod
    def tag(self, kind: str, item_id: str, key: str, value: str) -> Tag:
        """Add a tag, and return it with its id."""

    @abstractmethod
    def untag(self, kind: str, item_id: str, tag_id: str) -> None:
        """Take a tag away."""


class Labelling(ABC):
    """A label that can be changed later."""

    @abstractmethod
    def relabel(self, instance_id: str, label: str) -> None:
        """Write another ownership string on an instance, in place of the one that it bears."""


class Power(ABC):
    """Instances that can be stopped and started again."""

    @abstractmethod
    def start(self, instance_id: str) -> None:
        """Ask for an instance to run."""

    @abstractmethod
    def shut_down(self, instance_id: str) -> None:
        """Ask for an instance to be off."""


class Volumes(ABC):
    """Volumes that outlive an instance."""

    @abstractmethod
    def _volumes(self) -> list[Volume]:
        """Return the volumes of the account; threads that ask together share the answer."""

    @abstractmethod
    def volume(self, volume_id: str) -> Volume:
        """Return one volume. Raises NotFoundError."""

    @abstractmethod
    def volume_types(self, currency: str | None = None) -> list[VolumeType]: ...

    @abstractmethod
    def add_volume(self, order: VolumeOrder) -> str:
        """Make a volume and return its id; never repeated after an unclear answer."""

    @abstractmethod
    def attach_volume(self, volume_id: str, instance_id: str) -> None: ...

    @abstractmethod
    def detach_volume(self, volume_id: str, instance_id: str | None = None) -> None:
        """Detach a volume from all instances, or of a shared one from one of them."""

    @abstractmethod
    def resize_volume(self, volume_id: str, size_gb: int) -> None: ...

    @abstractmethod
    def rename_volume(self, volume_id: str, name: str) -> None: ...

    @abstractmethod
    def delete_volume(self, volume_id: str, *, for_good: bool) -> None:
        """Delete a volume, or move it to the trash where there is one."""


class Trash(ABC):
    """Volumes that can be had back for a while."""

    @abstractmethod
    def trashed_volumes(self) -> list[Volume]: ...

    @abstractmethod
    def restore_volume(self, volume_id: str) -> None: ...


class Keys(ABC):
    """Public keys that are registered with the account; else they travel in the order."""

    @abstractmethod
    def ssh_keys(self) -> list[SshKey]: ...

    @abstractmethod
    def add_ssh_key(self, name: str, public_key: str) -> str:
        """Register a key and return its id."""

    @abstractmethod
    def delete_ssh_key(self, key_id: str) -> None: ...


class Scripts(ABC):
    """Startup scripts that are registered with the account."""

    @abstractmethod
    def startup_scripts(self) -> list[StartupScript]: ...

    @abstractmethod
    def startup_script(self, script_id: str) -> StartupScript:
        """Return one script with its text."""

    @abstractmethod
    def add_startup_script(self, name: str, content: str) -> str:
        """Register a script and return its id."""

    @abstractmethod
    def delete_startup_script(self, script_id: str) -> None: ...
