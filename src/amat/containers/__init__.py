# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The project's images, built and run for real: with Apptainer, and with the tools that read a Dockerfile."""

from amat.containers.errors import ContainerError

__all__ = ["ContainerError"]
