# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Errors of the code generators."""

__all__ = [
    "InstallationError",
    "ModelError",
    "ModelWarning",
    "NestmlOptimisedError",
    "OptionError",
    "UnsupportedModelError",
    "UnsupportedVersionError",
]


class NestmlOptimisedError(Exception):
    """The base of all errors that this package raises."""


class ModelError(NestmlOptimisedError):
    """A model that NESTML rejects, or whose input ports NESTML's code would ignore; the message gives all errors."""


class ModelWarning(UserWarning):
    """A warning of NESTML about a model, or an input port that the model never reads."""


class UnsupportedModelError(NestmlOptimisedError):
    """A model that the optimised code generator does not support; the message is the reason."""


class OptionError(NestmlOptimisedError, ValueError):
    """An unknown option of a code generator, or a value that an option cannot have."""


class InstallationError(NestmlOptimisedError):
    """A missing or unusable NEST or compiler; the message names the package to install."""


class UnsupportedVersionError(InstallationError, ImportError):
    """A version of NESTML or ODE-toolbox for which this package was not made."""
