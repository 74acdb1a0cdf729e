# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find Ansible and the collection, or say in one sentence what to install."""

from __future__ import annotations

from importlib import import_module

from . import __version__
from .exits import FailedError

NAME = "gpuops.cloud"
_VERSION = "ansible_collections.gpuops.cloud.plugins.module_utils._core.version"


def open_collection() -> None:
    """Let Python import the collection from where Ansible finds it. Raises FailedError."""
    try:
        from ansible.plugins.loader import init_plugin_loader
        from ansible.utils.collection_loader import AnsibleCollectionConfig
    except ImportError:
        raise FailedError(
            "Ansible is not installed beside gpuops: pip install 'ansible-core>=2.18' in the same "
            "environment."
        ) from None
    if AnsibleCollectionConfig.collection_finder is None:
        init_plugin_loader()
    try:
        version = import_module(_VERSION).VERSION
    except ImportError:
        raise FailedError(
            f"The collection {NAME} is not where Ansible looks for collections: "
            f"ansible-galaxy collection install {NAME}:=={__version__}, or its tarball."
        ) from None
    if version != __version__:
        raise FailedError(
            f"gpuops {__version__} works with the collection of the same release, and {version} is "
            f"installed: pip install gpuops=={version}."
        )
